/**
 * Gives protobuf messages other ids of recordings and applications; nothing else changes.
 *
 * @module
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Encoded } from "../message_parts.ts";
import { writeHead } from "./encode_log_msg.ts";

/** Before a message in `.rrd`, in bytes. */
const HEAD_BYTES = 16;
/** Kinds of messages, and their fields that are ids or contain them. */
const [SET_STORE_INFO, ARROW_MSG, ACTIVATION] = [1, 2, 3];
const [STORE_ID, INFO, INFO_APPLICATION, INFO_STORE_ID, ID, APPLICATION] = [1, 2, 1, 2, 2, 3];

/** New ids; those that are absent stay. */
export interface OtherIds {
  readonly recordingId?: string;
  readonly applicationId?: string;
}

type Edit = (value: Uint8Array) => Uint8Array;

/**
 * Gives a message other ids. The application is changed only where the message names one.
 *
 * @param encoded a message in protobuf that was decoded without an error
 * @param ids the new ids
 * @returns the message; one of an unknown kind as it is
 */
export function withOtherIds(encoded: Encoded, ids: OtherIds): Encoded {
  const { header, bytes } = encoded;
  const kind = bytes[0]!;
  const storeId: Edit = (value) => edited(value, storeIdEdits(ids));
  const edits: Record<number, Edit> = kind === ARROW_MSG || kind === ACTIVATION
    ? { [STORE_ID]: storeId }
    : {
      [INFO]: (info) =>
        edited(info, { [INFO_STORE_ID]: storeId, ...application(ids, INFO_APPLICATION) }),
    };
  if (kind < SET_STORE_INFO || kind > ACTIVATION) return encoded;
  const message = edited(bytes.subarray(HEAD_BYTES), edits);
  const whole = new Uint8Array(HEAD_BYTES + message.length);
  writeHead(whole, 0, kind, message.length);
  whole.set(message, HEAD_BYTES);
  return { header, bytes: whole };
}

function storeIdEdits(ids: OtherIds): Record<number, Edit> {
  const { recordingId } = ids;
  return {
    ...(recordingId === undefined ? {} : { [ID]: () => new TextEncoder().encode(recordingId) }),
    ...application(ids, APPLICATION),
  };
}

function application({ applicationId }: OtherIds, field: number): Record<number, Edit> {
  if (applicationId === undefined) return {};
  const named = new BinaryWriter().tag(1, WireType.LengthDelimited).string(applicationId).finish();
  return { [field]: () => named };
}

/** Copies the fields in their order, and replaces some of those that have a length. */
function edited(message: Uint8Array, edits: Readonly<Record<number, Edit>>): Uint8Array {
  const reader = new BinaryReader(message);
  const writer = new BinaryWriter();
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, type] = reader.tag();
    const edit = type === WireType.LengthDelimited ? edits[field] : undefined;
    if (edit !== undefined) writer.tag(field, type).bytes(edit(reader.bytes()));
    else {
      reader.skip(type, field);
      writer.raw(message.subarray(start, reader.pos));
    }
  }
  return writer.finish();
}
