/**
 * Checks that a msgpack message has the fields of Rerun's messages. No later version writes
 * msgpack, so the list is complete, and anything else is damage.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { MsgpackValue } from "../msgpack/msgpack.ts";

type Fields = Readonly<Record<string, (value: MsgpackValue) => boolean>>;

const any = () => true;
const isFlag = (value: MsgpackValue) => typeof value === "boolean";
const isKind = (value: MsgpackValue) => value === "Recording" || value === "Blueprint";
const has = (fields: Fields) => (value: MsgpackValue) => isOf(value, fields);

const STORE_ID = has({ kind: isKind, id: any });
const SOURCES: Fields = {
  PythonSdk: has({ major: any, minor: any, patch: any, suffix: any }),
  RustSdk: has({ rustc_version: any, llvm_version: any }),
  File: has({ file_source: any }),
  Other: (value) => typeof value === "string",
};

const MESSAGES: Fields = {
  SetStoreInfo: has({
    row_id: has({ time_ns: any, inc: any }),
    info: has({
      application_id: any,
      store_id: STORE_ID,
      cloned_from: (value) => value === null || STORE_ID(value),
      is_official_example: isFlag,
      started: any,
      store_source: (value) =>
        value instanceof Map
          ? isOf(value, SOURCES)
          : value === "Unknown" || value === "CSdk" || value === "Viewer",
      store_kind: isKind,
    }),
  }),
  BlueprintActivationCommand: has({
    blueprint_id: STORE_ID,
    make_active: isFlag,
    make_default: isFlag,
  }),
  EntityPathOpMsg: any,
};

/**
 * Checks the names in a message, and values of which there are only a few.
 *
 * @throws {InvalidMessage} if one is not Rerun's
 */
export function checkMsgpackShape(value: MsgpackValue): void {
  if (!isOf(value, MESSAGES)) {
    throw new InvalidMessage(
      "A message has a field, or a value in it, that Rerun's messages do not have",
    );
  }
}

function isOf(value: MsgpackValue, fields: Fields): boolean {
  if (!(value instanceof Map)) return false;
  for (const [key, each] of value) {
    const check = typeof key === "string" && Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (check === undefined || !check(each)) return false;
  }
  return true;
}
