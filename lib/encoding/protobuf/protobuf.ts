/**
 * Reads protobuf messages field by field, without generated code.
 *
 * @module
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { InvalidMessage, MessageLimit, reason, RerelayError } from "../../base/errors.ts";
import { DECODE_LIMITS, type DecodeLimits, tooMuchText } from "../limits.ts";

/** How to read one field: its wire type, and what to do with the reader at its value. */
export type Field = readonly [WireType, (reader: BinaryReader, budget: ProtobufBudget) => void];

/** A field counts as so many msgpack values, since it takes as long to read. */
const FIELD_ENTRIES = 8;

/** How much may still be read of one log message, over all messages nested in it. */
export class ProtobufBudget {
  #fieldsLeft: number;
  #textLeft: number;

  /** @param limits of the log message */
  constructor(readonly limits: Required<DecodeLimits> = DECODE_LIMITS) {
    this.#fieldsLeft = Math.ceil(limits.maxEntries / FIELD_ENTRIES);
    this.#textLeft = limits.maxTextBytes;
  }

  /** Counts a field. */
  field(): void {
    if (--this.#fieldsLeft >= 0) return;
    const { maxEntries } = this.limits;
    const found = maxEntries + FIELD_ENTRIES;
    throw new MessageLimit(found, maxEntries, "maxEntries", "entries in a message, 8 for a field");
  }

  /** Counts text before it is made. */
  text(bytes: number): void {
    this.#textLeft -= bytes;
    if (this.#textLeft < 0) throw tooMuchText(this.limits.maxTextBytes, this.#textLeft);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A length-delimited field: bytes or a nested message. */
export function bytes(take: (value: Uint8Array, budget: ProtobufBudget) => void): Field {
  return [WireType.LengthDelimited, (reader, budget) => take(reader.bytes(), budget)];
}

/** A text field. */
export function string(take: (value: string) => void): Field {
  return [WireType.LengthDelimited, (reader, budget) => {
    const text = reader.bytes();
    budget.text(text.length);
    take(utf8.decode(text));
  }];
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
 * @param budget of the log message it stands in
 * @throws {InvalidMessage} if the bytes are not a protobuf message
 */
export function readMessage(
  message: Uint8Array,
  name: string,
  fields: Record<number, Field>,
  budget: ProtobufBudget = new ProtobufBudget(),
): void {
  const reader = new BinaryReader(message);
  try {
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      budget.field();
      const field = fields[number];
      if (field !== undefined && field[0] === wireType) field[1](reader, budget);
      else reader.skip(wireType, number);
    }
  } catch (cause) {
    if (cause instanceof RerelayError) throw cause;
    throw new InvalidMessage(`Invalid protobuf ${name}: ${reason(cause)}`, { cause });
  }
  // The reader may run past the end while it reads a number, and takes missing bytes for zeros.
  if (reader.pos > reader.len) {
    throw new InvalidMessage(`Invalid protobuf ${name}: it is cut short`);
  }
}
