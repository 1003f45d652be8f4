/**
 * Reads protobuf messages field by field, without generated code.
 *
 * @module
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { InvalidMessage, reason, RerelayError } from "../errors.ts";

/** How to take one field: its wire type, and what to do with the reader at its value. */
export type Field = readonly [WireType, (reader: BinaryReader) => void];

/** A length-delimited field: bytes or a nested message. */
export function bytes(take: (value: Uint8Array) => void): Field {
  return [WireType.LengthDelimited, (reader) => take(reader.bytes())];
}

/** A text field. */
export function string(take: (value: string) => void): Field {
  return [WireType.LengthDelimited, (reader) => take(reader.string(true))];
}

/** A varint of at most 64 bits, unsigned. */
export function uint(take: (value: bigint) => void): Field {
  return [WireType.Varint, (reader) => take(BigInt(reader.uint64()))];
}

/** A varint of 64 bits, signed. */
export function int(take: (value: bigint) => void): Field {
  return [WireType.Varint, (reader) => take(BigInt(reader.int64()))];
}

/** Eight bytes, unsigned. */
export function fixed64(take: (value: bigint) => void): Field {
  return [WireType.Bit64, (reader) => take(BigInt(reader.fixed64()))];
}

/**
 * Reads one message; fields that are not asked for, or come with another wire type, are passed over.
 *
 * @param message the bytes of the message
 * @param name of the message, for errors
 * @param fields by number
 * @throws {InvalidMessage} if the bytes are no protobuf message
 */
export function readMessage(
  message: Uint8Array,
  name: string,
  fields: Record<number, Field>,
): void {
  const reader = new BinaryReader(message);
  try {
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      const field = fields[number];
      if (field !== undefined && field[0] === wireType) field[1](reader);
      else reader.skip(wireType, number);
    }
  } catch (cause) {
    if (cause instanceof RerelayError) throw cause;
    throw new InvalidMessage(`Invalid protobuf ${name}: ${reason(cause)}`, { cause });
  }
  // The reader may pass the end while it reads a number, and gives zeros for what is not there.
  if (reader.pos > reader.len) {
    throw new InvalidMessage(`Invalid protobuf ${name}: it is cut short`);
  }
}
