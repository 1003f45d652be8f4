/**
 * The parts of protobuf log messages that tell recordings apart and describe them.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { StoreId, StoreInfo, StoreSource } from "../message_parts.ts";
import { bytes, fixed64, int, type ProtobufBudget, readMessage, string, uint } from "./protobuf.ts";
import type { RrdVersion } from "../rrd_header.ts";
import { Tuid } from "../tuid.ts";

/** Which of the two definitions the bytes follow: that of SDK 0.22, or that of 0.23 and later. */
export type ProtobufDialect = "v0" | "v1alpha1";

const STORE_KINDS = {
  v0: ["Recording", "Blueprint"],
  v1alpha1: [undefined, "Recording", "Blueprint"],
} as const;

/** File sources, by their numbers in protobuf. */
const FILE_SOURCES = [undefined, "Cli", "Uri", "DragAndDrop", "FileDialog", "Sdk"] as const;

/** Reads a `Tuid`. */
export function readTuid(message: Uint8Array, budget: ProtobufBudget): Tuid {
  let timeNs = 0n;
  let inc = 0n;
  readMessage(message, "Tuid", {
    1: fixed64((value) => timeNs = value),
    2: fixed64((value) => inc = value),
  }, budget);
  return new Tuid(timeNs, inc);
}

/**
 * Reads a `StoreId`.
 *
 * @throws {InvalidMessage} if its kind is unknown
 */
export function readStoreId(
  message: Uint8Array,
  dialect: ProtobufDialect,
  budget: ProtobufBudget,
): StoreId {
  let number = 0;
  let id = "";
  let applicationId: string | undefined;
  readMessage(message, "StoreId", {
    1: uint((value) => number = Number(value)),
    2: string((value) => id = value),
    3: bytes((value) => applicationId = readText(value, "ApplicationId", budget)),
  }, budget);
  const kind = STORE_KINDS[dialect][number];
  if (kind === undefined) throw new InvalidMessage(`Invalid store kind: ${number}`);
  return applicationId === undefined ? { kind, id } : { kind, id, applicationId };
}

/**
 * Reads a `StoreInfo`.
 *
 * @throws {InvalidMessage} if it names no store
 */
export function readStoreInfo(
  message: Uint8Array,
  dialect: ProtobufDialect,
  budget: ProtobufBudget,
): StoreInfo {
  let applicationId: string | undefined;
  let storeId: StoreId | undefined;
  let isOfficialExample = false;
  let started = 0n;
  let storeSource: StoreSource = { kind: "Unknown" };
  let storeVersion: RrdVersion | undefined;
  readMessage(message, "StoreInfo", {
    1: bytes((value) => applicationId = readText(value, "ApplicationId", budget)),
    2: bytes((value) => storeId = readStoreId(value, dialect, budget)),
    3: uint((value) => isOfficialExample = value !== 0n),
    4: bytes((value) => readMessage(value, "Time", { 1: int((nanos) => started = nanos) }, budget)),
    5: bytes((value) => storeSource = readStoreSource(value, budget)),
    6: bytes((value) => storeVersion = readVersion(value, budget)),
  }, budget);
  if (storeId === undefined) throw new InvalidMessage("Invalid protobuf StoreInfo: no store_id");
  applicationId ??= storeId.applicationId ?? "";
  return {
    applicationId,
    storeId,
    isOfficialExample,
    started,
    storeSource,
    ...(storeVersion === undefined ? {} : { storeVersion }),
  };
}

function readStoreSource(message: Uint8Array, budget: ProtobufBudget): StoreSource {
  let number = 0;
  let extra: Uint8Array = new Uint8Array(0);
  readMessage(message, "StoreSource", {
    1: uint((value) => number = Number(value)),
    2: bytes((value) =>
      readMessage(value, "StoreSourceExtra", { 1: bytes((b) => extra = b) }, budget)
    ),
  }, budget);
  switch (number) {
    case 1:
      return { kind: "CSdk" };
    case 2:
      return readPython(extra, budget);
    case 3:
      return readRust(extra, budget);
    case 4:
      return { kind: "File", fileSource: readFileSource(extra, budget) };
    case 5:
      return { kind: "Viewer" };
    case 6:
      budget.text(extra.length);
      return { kind: "Other", name: new TextDecoder().decode(extra) };
    default:
      return { kind: "Unknown" };
  }
}

function readPython(message: Uint8Array, budget: ProtobufBudget): StoreSource {
  let [major, minor, patch, suffix] = [0, 0, 0, ""];
  readMessage(message, "PythonVersion", {
    1: uint((value) => major = Number(value)),
    2: uint((value) => minor = Number(value)),
    3: uint((value) => patch = Number(value)),
    4: string((value) => suffix = value),
  }, budget);
  return { kind: "PythonSdk", major, minor, patch, suffix };
}

function readRust(message: Uint8Array, budget: ProtobufBudget): StoreSource {
  let [rustcVersion, llvmVersion] = ["", ""];
  readMessage(message, "CrateInfo", {
    1: string((value) => rustcVersion = value),
    2: string((value) => llvmVersion = value),
  }, budget);
  return { kind: "RustSdk", rustcVersion, llvmVersion };
}

function readFileSource(
  message: Uint8Array,
  budget: ProtobufBudget,
): NonNullable<typeof FILE_SOURCES[number]> {
  let number = 0;
  readMessage(message, "FileSource", { 1: uint((value) => number = Number(value)) }, budget);
  const source = FILE_SOURCES[number];
  if (source === undefined) throw new InvalidMessage(`Invalid file source: ${number}`);
  return source;
}

/** The four bytes of an RRD header's version, as one little-endian number. */
function readVersion(message: Uint8Array, budget: ProtobufBudget): RrdVersion {
  let bits = 0;
  readMessage(message, "StoreVersion", {
    1: int((value) => bits = Number(BigInt.asUintN(32, value))),
  }, budget);
  const [major, minor, patch, meta] = [0, 8, 16, 24].map((shift) => (bits >>> shift) & 0xff);
  return { major: major!, minor: minor!, patch: patch!, meta: meta! };
}

function readText(message: Uint8Array, name: string, budget: ProtobufBudget): string {
  let text = "";
  readMessage(message, name, { 1: string((value) => text = value) }, budget);
  return text;
}
