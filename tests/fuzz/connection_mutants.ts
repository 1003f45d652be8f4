/** Whole connections as no SDK makes them. */
import { concat, framed, HELLO } from "../encoding/rrd_builder.ts";
import { randomPieces } from "../random.ts";
import { CORPUS } from "./corpus.ts";
import { type Dice, dice, mutant } from "./mutations.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A connection: what is sent, and how it ends. */
export interface ConnectionMutant {
  readonly pieces: readonly Bytes[];
  /** Milliseconds before each piece; mostly none. */
  readonly waits: readonly number[];
  readonly end: "fin" | "reset" | "wait";
}

/** Larger packets only take time. */
const SMALL = CORPUS.filter((packet) => packet.length < 12_000);
const text = (value: string) => new TextEncoder().encode(value);
/** What else comes to an open port. */
const OTHERS = [
  text("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
  text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  text("SSH-2.0-OpenSSH_9.2\r\n"),
  Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3),
  Uint8Array.of(2, 0, ...text("rerun")),
  Uint8Array.of(1, 0, ...text("rerux")),
  Uint8Array.of(1),
  new Uint8Array(0),
];

function hello(choices: Dice): Bytes {
  const roll = choices.random();
  if (roll < 0.75) return HELLO;
  if (roll < 0.9) return new Uint8Array(2);
  return choices.one(OTHERS);
}

function packet(choices: Dice): Bytes {
  const bytes = choices.random() < 0.3 ? choices.one(SMALL) : mutant(SMALL, choices.random).bytes;
  const whole = framed(bytes);
  if (choices.random() < 0.1) {
    const lie = choices.one([0, 1, 11, bytes.length - 1, bytes.length + 1, 2 ** 28, 2 ** 32 - 1]);
    new DataView(whole.buffer).setUint32(0, Math.max(0, lie), true);
  }
  return whole;
}

/**
 * Makes one.
 *
 * @param random in [0, 1)
 */
export function connectionMutant(random: () => number): ConnectionMutant {
  const choices = dice(random);
  let bytes: Bytes = concat(
    hello(choices),
    ...Array.from({ length: choices.below(6) }, () => packet(choices)),
  );
  if (random() < 0.2) bytes = bytes.slice(0, choices.below(bytes.length + 1));
  if (random() < 0.2 && bytes.length > 0) bytes[choices.below(bytes.length)] = choices.below(256);
  const pieces = random() < 0.5 ? [bytes] : randomPieces(bytes, random);
  const waits = pieces.map(() => random() < 0.1 ? choices.below(20) : 0);
  return { pieces, waits, end: choices.one(["fin", "fin", "fin", "reset", "wait"]) };
}
