/**
 * Gives msgpack messages of SDK 0.9 to 0.22 other ids of recordings and applications; nothing else
 * changes.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { InvalidMessage } from "../../base/errors.ts";
import { DECODE_LIMITS } from "../limits.ts";
import { inflateLz4 } from "../lz4/lz4.ts";
import { compressLz4 } from "../lz4/lz4_deflate.ts";
import type { Encoded } from "../message_parts.ts";
import type { OtherIds } from "../protobuf/with_other_ids.ts";
import { MsgpackReader } from "./msgpack.ts";

/** Bytes before a message in `.rrd`: its stored and its inflated length, four bytes each. */
const HEAD_BYTES = 8;

/** A text that replaces another. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * Gives a message other ids; all else keeps its bytes, and is compressed again if the message was.
 *
 * @param encoded a message in msgpack that was decoded without an error
 * @param ids the new ids
 * @returns the message; one of an unknown kind as it is
 * @throws {InvalidMessage} if it is damaged
 */
export function withOtherMsgpackIds(encoded: Encoded, ids: OtherIds): Encoded {
  const { header, bytes } = encoded;
  const stored = bytes.subarray(HEAD_BYTES);
  const isCompressed = header.compression === "lz4";
  const inflatedBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  const payload = isCompressed ? inflateLz4(stored, inflatedBytes) : stored;
  const edits = editsOf(payload, ids);
  if (edits.length === 0) return encoded;
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { from, to, text } of edits) {
    parts.push(payload.subarray(at, from), msgpackText(text));
    at = to;
  }
  const changed = concat([...parts, payload.subarray(at)]);
  const body = isCompressed ? compressLz4(changed) : changed;
  const whole = new Uint8Array(HEAD_BYTES + body.length);
  const view = new DataView(whole.buffer);
  // Without compression both lengths are the same, as SDKs write it.
  view.setUint32(0, body.length, true);
  view.setUint32(4, changed.length, true);
  whole.set(body, HEAD_BYTES);
  return { header, bytes: whole };
}

/** Finds the texts to replace, in their order. */
function editsOf(payload: Uint8Array, ids: OtherIds): Edit[] {
  const reader = new IdReader(payload, ids);
  reader.message();
  return reader.edits;
}

/** Finds ids where messages have them, and passes over all else. */
class IdReader {
  readonly edits: Edit[] = [];
  readonly #reader: MsgpackReader;
  readonly #ids: OtherIds;

  constructor(payload: Uint8Array, ids: OtherIds) {
    this.#reader = new MsgpackReader(payload, 0, payload.length, DECODE_LIMITS);
    this.#ids = ids;
  }

  message(): void {
    if (this.#reader.mapLength() !== 1) {
      throw new InvalidMessage("A log message is of several kinds at once");
    }
    switch (this.#reader.string()) {
      case "ArrowMsg":
        // What follows is the data.
        this.#reader.arrayLength();
        return this.#storeId();
      case "SetStoreInfo":
        return this.#fields({ info: () => this.#info() });
      case "BlueprintActivationCommand":
        return this.#fields({ blueprint_id: () => this.#storeId() });
    }
  }

  #info(): void {
    const { applicationId } = this.#ids;
    this.#fields({
      application_id: () => this.#text(applicationId),
      store_id: () => this.#storeId(),
    });
  }

  #storeId(): void {
    this.#fields({ id: () => this.#text(this.#ids.recordingId) });
  }

  #text(text: string | undefined): void {
    const from = this.#reader.pos;
    this.#reader.string();
    if (text !== undefined) this.edits.push({ from, to: this.#reader.pos, text });
  }

  #fields(known: Readonly<Record<string, () => void>>): void {
    for (let n = this.#reader.mapLength(); n > 0; n--) {
      const key = this.#reader.value();
      const read = typeof key === "string" && Object.hasOwn(known, key) ? known[key] : undefined;
      if (read === undefined) this.#reader.value();
      else read();
    }
  }
}

/** A text in the shortest form, as SDKs write it. */
function msgpackText(text: string): Uint8Array {
  const utf8 = new TextEncoder().encode(text.toWellFormed());
  const { length } = utf8;
  const head = length < 32
    ? [0xa0 | length]
    : length < 2 ** 8
    ? [0xd9, length]
    : length < 2 ** 16
    ? [0xda, length >> 8, length & 255]
    : [0xdb, length >>> 24, length >> 16 & 255, length >> 8 & 255, length & 255];
  return concat([Uint8Array.from(head), utf8]);
}
