/**
 * The two rare kinds of msgpack log messages: their fields are taken by name, whatever else is there.
 *
 * @module
 */
import { InvalidMessage, shown } from "../../base/errors.ts";
import type { BlueprintActivationCommand, SetStoreInfo } from "../log_msg.ts";
import type { Encoded, FileSource, StoreId, StoreSource } from "../message_parts.ts";
import type { MsgpackValue } from "./msgpack.ts";
import { makeTuid } from "../tuid.ts";

/** The file sources of all versions, with Rerun's names. */
export const FILE_SOURCES = ["Cli", "Uri", "DragAndDrop", "FileDialog", "Sdk"] as const;

/**
 * Reads the content of a `SetStoreInfo`.
 *
 * @throws {InvalidMessage} if a field is missing or of another type
 */
export function readSetStoreInfo(value: MsgpackValue, encoded: Encoded): SetStoreInfo {
  const msg = fields(value, "SetStoreInfo");
  const rowId = fields(msg.get("row_id"), "row_id");
  const info = fields(msg.get("info"), "info");
  const clonedFrom = info.get("cloned_from") ?? null;
  return {
    kind: "SetStoreInfo",
    rowId: makeTuid(integer(rowId, "time_ns"), integer(rowId, "inc")),
    info: {
      applicationId: text(info, "application_id"),
      storeId: storeId(info.get("store_id")),
      ...(clonedFrom === null ? {} : { clonedFrom: storeId(clonedFrom) }),
      isOfficialExample: info.get("is_official_example") === true,
      started: integer(info, "started"),
      storeSource: storeSource(info.get("store_source")),
      storeVersion: encoded.header.version,
    },
    encoded,
  };
}

/**
 * Reads the content of a `BlueprintActivationCommand`.
 *
 * @throws {InvalidMessage} if a field is missing or of another type
 */
export function readBlueprintActivation(
  value: MsgpackValue,
  encoded: Encoded,
): BlueprintActivationCommand {
  const msg = fields(value, "BlueprintActivationCommand");
  return {
    kind: "BlueprintActivationCommand",
    blueprintId: storeId(msg.get("blueprint_id")),
    makeActive: msg.get("make_active") === true,
    makeDefault: msg.get("make_default") === true,
    encoded,
  };
}

/**
 * Reads the store source; one that no version has becomes `Unknown`, since nothing depends on it.
 */
function storeSource(value: MsgpackValue | undefined): StoreSource {
  if (value === "CSdk" || value === "Viewer") return { kind: value };
  if (!(value instanceof Map)) return { kind: "Unknown" };
  const [[kind, content] = []] = value;
  switch (kind) {
    case "PythonSdk": {
      const python = fields(content, "PythonSdk");
      return {
        kind,
        major: Number(integer(python, "major")),
        minor: Number(integer(python, "minor")),
        patch: Number(integer(python, "patch")),
        suffix: text(python, "suffix"),
      };
    }
    case "RustSdk": {
      const rust = fields(content, "RustSdk");
      return {
        kind,
        rustcVersion: text(rust, "rustc_version"),
        llvmVersion: text(rust, "llvm_version"),
      };
    }
    case "File":
      return { kind, fileSource: fileSource(fields(content, "File").get("file_source")) };
    case "Other":
      return { kind, name: typeof content === "string" ? content : "" };
    default:
      return { kind: "Unknown" };
  }
}

/** A string, or from SDK 0.20 on a map of one entry for those that carry more. */
function fileSource(value: MsgpackValue | undefined): FileSource {
  const name = value instanceof Map ? value.keys().next().value : value;
  const known = FILE_SOURCES.find((source) => source === name);
  if (known === undefined) throw new InvalidMessage(`Invalid file source: ${shown(name)}`);
  return known;
}

function storeId(value: MsgpackValue | undefined): StoreId {
  const map = fields(value, "store id");
  const kind = map.get("kind");
  if (kind !== "Recording" && kind !== "Blueprint") {
    throw new InvalidMessage(`Invalid store kind: ${shown(kind)}`);
  }
  return { kind, id: text(map, "id") };
}

function fields(value: MsgpackValue | undefined, what: string): Map<MsgpackValue, MsgpackValue> {
  if (value instanceof Map) return value;
  throw new InvalidMessage(`Invalid ${what}: a map is expected, not ${shown(value)}`);
}

function text(map: Map<MsgpackValue, MsgpackValue>, key: string): string {
  const value = map.get(key);
  if (typeof value === "string") return value;
  throw new InvalidMessage(`Invalid ${key}: text is expected, not ${shown(value)}`);
}

function integer(map: Map<MsgpackValue, MsgpackValue>, key: string): bigint {
  const value = map.get(key);
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  throw new InvalidMessage(`Invalid ${key}: an integer is expected, not ${shown(value)}`);
}
