/** Real captures, and the form their expected results are written in. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { LogMsg, StoreSource } from "../mod.ts";

const FOLDER = new URL("./fixtures/", import.meta.url);

/** The bytes of a fixture. */
export function fixture(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(path, FOLDER)));
}

/** A fixture that is text. */
export function fixtureText(path: string): string {
  return readFileSync(new URL(path, FOLDER), "utf8");
}

/** A fixture that is JSON. */
export function fixtureJson(path: string): unknown {
  return JSON.parse(fixtureText(path));
}

/** Names of the recorded connections, without their ending. */
export const CAPTURES: string[] = readdirSync(new URL("captures/", FOLDER))
  .filter((name) => name.endsWith(".bin")).map((name) => name.slice(0, -4)).sort();

/** What `NAME.expected.json` says of one connection. */
export interface ExpectedCapture {
  protocol_version: number;
  packets: {
    packet_bytes: number;
    rerun_version: number[];
    messages: Record<string, unknown>[];
  }[];
}

/** The expected result of a capture. */
export function expectedCapture(name: string): ExpectedCapture {
  return fixtureJson(`captures/${name}.expected.json`) as ExpectedCapture;
}

/** The packets of a recorded connection, cut by the simplest code there is. */
export function capturePackets(name: string): Uint8Array<ArrayBuffer>[] {
  const bytes = fixture(`captures/${name}.bin`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const packets = [];
  let at = view.getUint16(0, true) === 0 ? 2 : 7;
  while (at < bytes.length) {
    const length = view.getUint32(at, true);
    packets.push(bytes.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return packets;
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function sourceJson(source: StoreSource): unknown {
  switch (source.kind) {
    case "PythonSdk": {
      const { major, minor, patch, suffix } = source;
      return { PythonSdk: { major, minor, patch, suffix } };
    }
    case "RustSdk":
      return { RustSdk: { rustc_version: source.rustcVersion, llvm_version: source.llvmVersion } };
    case "File":
      return { File: { file_source: source.fileSource } };
    case "Other":
      return { Other: source.name };
    default:
      return source.kind;
  }
}

/** A message in the form of `captures/*.expected.json`, as far as the envelope tells it. */
export function describeMsg(msg: LogMsg): Record<string, unknown> {
  switch (msg.kind) {
    case "SetStoreInfo":
      return {
        type: msg.kind,
        row_id: msg.rowId.toString(),
        application_id: msg.info.applicationId,
        store_id: msg.info.storeId,
        started_ns: String(msg.info.started),
        is_official_example: msg.info.isOfficialExample,
        store_source: sourceJson(msg.info.storeSource),
      };
    case "ArrowMsg": {
      const ipc = msg.ipc();
      return {
        type: msg.kind,
        store_id: msg.storeId,
        chunk_id: msg.chunkId?.toString(),
        timepoint_max: msg.timepointMax?.map(({ name, type, time }) => ({
          name,
          type: type === "time" ? "Time" : "Sequence",
          value: String(time),
        })),
        arrow_ipc_bytes: ipc.length,
        arrow_ipc_sha256: sha256(ipc),
      };
    }
    case "BlueprintActivationCommand":
      return {
        type: msg.kind,
        blueprint_id: msg.blueprintId,
        make_active: msg.makeActive,
        make_default: msg.makeDefault,
      };
    case "UnknownMsg":
      return { type: msg.name };
  }
}
