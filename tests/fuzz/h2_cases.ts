/** Mutated HTTP/2 frames through both halves, with users that do anything that they may at any time. */
import { H2Connection } from "../../lib/comms/h2/connection.ts";
import { ERROR, H2Error } from "../../lib/comms/h2/error_codes.ts";
import { encodeFields } from "../../lib/comms/h2/hpack.ts";
import type { Field, H2Stream } from "../../lib/comms/h2/types.ts";
import { bytes, frame, frames, hello, literal, PREFACE, REQUEST, u32 } from "../comms/h2/wire.ts";
import { joined } from "../contract/streams.ts";
import { caseRandom, randomPieces } from "../random.ts";
import { type Dice, dice } from "./mutations.ts";

/** What came out of some cases. */
export interface H2Tally {
  cases: number;
  /** Connections that lived through it. */
  lived: number;
  /** How the others ended, by error code. */
  errors: Record<string, number>;
  streams: number;
  slowestMs: number;
}

/** An empty tally. */
export function newH2Tally(): H2Tally {
  return { cases: 0, lived: 0, errors: {}, streams: 0, slowestMs: 0 };
}

/** A case that takes longer hangs, in milliseconds. */
export const H2_HANG_MS = 1000;

const WINDOW = 65_535;
const FRAME_BYTES = 16_384;
const OK: readonly Field[] = [[":status", "200"], ["content-type", "application/grpc"]];
const ASKED: readonly Field[] = [[":method", "POST"], [":scheme", "http"], [":path", "/p"]];

// ------------------------------------------------------------------------------- what comes in

/** Frames as a peer that knows the protocol sends them. */
function goodFrames(isClient: boolean, { below, one, random }: Dice): Uint8Array[] {
  const made: Uint8Array[] = [];
  const block = isClient ? encodeFields(OK) : REQUEST;
  const ids = Array.from({ length: 1 + below(6) }, (_, i) => 2 * i + 1);
  for (const id of ids) {
    const isEnd = random() < 0.2 ? 1 : 0;
    const large = bytes(block, literal("x".repeat(1 + below(100)), "y".repeat(below(100))));
    if (random() < 0.7) made.push(frame(1, 4 | isEnd, id, large));
    else made.push(frame(1, isEnd, id, large.subarray(0, 7)), frame(9, 4, id, large.subarray(7)));
    if (isEnd) continue;
    for (let n = below(5); n > 0; n--) {
      const payload = new Uint8Array(one([0, 1, 5, 300, 3000, 20_000]));
      if (random() < 0.7) made.push(frame(0, 0, id, payload));
      else made.push(frame(0, 8, id, bytes(9, payload, new Uint8Array(9))));
      const between = [
        frame(6, 0, 0, new Uint8Array(8)),
        frame(8, 0, one([0, id]), u32(1 + below(100_000))),
        frame(4, 0, 0, bytes(0, 4, u32(below(200_000)))),
        frame(2, 0, id, bytes(u32(0), 1)),
        frame(4, 1, 0),
        frame(99, 0, id, new Uint8Array(3)),
      ];
      if (random() < 0.5) made.push(one(between));
    }
    const ends = [
      frame(0, 1, id),
      frame(1, 5, id, literal("grpc-status", "0")),
      frame(3, 0, id, u32(8)),
    ];
    if (random() < 0.8) made.push(one(ends));
  }
  if (random() < 0.1) made.push(frame(7, 0, 0, bytes(u32(below(6)), u32(0), "bye")));
  return made;
}

/** Damages one of them. */
function damage(all: Uint8Array[], { below, one, random }: Dice): void {
  const at = below(all.length);
  const target = all[at] = all[at]!.slice();
  switch (below(8)) {
    case 0:
      target[3] = below(random() < 0.8 ? 11 : 256);
      break;
    case 1:
      target[4] = one([0, 1, 4, 5, 8, 9, 32, 37, 255]);
      break;
    case 2:
      target.set(u32(one([0, 1, 2, 3, 5, 7, 99, 2 ** 31 - 1, 2 ** 31])), 5);
      break;
    case 3: // another length than it has
      target.set(u32(one([0, 1, 4, 5, 8, 9, 100, 2 ** 20, 2 ** 24 - 1])).subarray(1), 0);
      break;
    case 4:
      for (let n = 1 + below(5); n > 0; n--) target[below(target.length)] = below(256);
      break;
    case 5:
      all.splice(at, 1);
      break;
    case 6:
      all.splice(below(all.length), 0, target);
      break;
    default: {
      const payload = Uint8Array.from({ length: below(60) }, () => below(256));
      all.splice(at, 0, frame(below(11), below(256), below(8), payload));
    }
  }
}

// -------------------------------------------------------------------------------------- the user

/** Watches what a sink is told, and does at random what a user may do. */
class User {
  readonly streams: H2Stream[] = [];
  readonly #states = new Map<H2Stream, "open" | "ended" | "gone">();
  /** Writes that were told that they are done, and all of them. */
  dones = 0;
  written = 0;
  isClient = false;

  constructor(readonly dice: Dice) {}

  readonly onStream = (stream: H2Stream): void => {
    this.streams.push(stream);
    this.#states.set(stream, "open");
    const { random, below } = this.dice;
    const place = new Uint8Array(100_000);
    if (random() < 0.05) return;
    stream.sink = {
      headers: () => this.#expect(stream, "open"),
      readInto: (most) => random() < 0.5 ? undefined : place.subarray(0, 1 + below(most)),
      data: (bytes) => {
        this.#expect(stream, "open");
        if (bytes.length === 0) throw new Error("a sink was given nothing");
        if (random() < 0.7) stream.consume(bytes.length);
        this.act(stream, 0.1);
        return random() < 0.5;
      },
      end: () => {
        this.#expect(stream, "open");
        this.#states.set(stream, "ended");
        this.act(stream, 0.8);
      },
      gone: () => {
        if (this.#states.get(stream) === "gone") throw new Error("a sink was told twice");
        this.#states.set(stream, "gone");
      },
    };
    stream.onRoom = () => this.act(stream, 0.2);
    this.act(stream, 0.1);
  };

  /** Does something, or not. */
  act(stream: H2Stream, probability: number): void {
    const { random, one, below } = this.dice;
    if (random() > probability) return;
    switch (below(6)) {
      case 0:
        return stream.consume(one([0, 1, 70_000, 1 << 20]));
      case 1:
        return stream.reset(one([0, 2, 8]));
      case 2:
        return stream.widen();
    }
    if (!this.isClient) stream.respond(OK, random() < 0.1);
    if (random() < 0.7) {
      this.written++;
      stream.write(new Uint8Array(one([0, 1, 5, 30_000, 100_000])), () => this.dones++);
    }
    if (random() < 0.5) stream.end(random() < 0.5 ? [] : [["grpc-status", "0"]]);
  }

  #expect(stream: H2Stream, state: string): void {
    const now = this.#states.get(stream);
    if (now !== state) throw new Error(`stream ${stream.id} is told something, though ${now}`);
  }
}

// ------------------------------------------------------------------------------- what goes out

/** Holds what is sent against the protocol. */
function checkSent(sent: Uint8Array, received: number): void {
  const ended = new Set<number>();
  let credit = 0;
  for (const { type, flags, id, payload } of frames(sent)) {
    if (payload.length > FRAME_BYTES) throw new Error(`a frame of ${payload.length} bytes`);
    if (type > 9) throw new Error(`a frame of type ${type}`);
    if (type <= 1) {
      if (ended.has(id)) throw new Error(`a frame of type ${type} behind the end of stream ${id}`);
      if (flags & 1) ended.add(id);
    }
    if (type === 3) ended.add(id);
    if (type === 8 && id === 0) credit += new DataView(payload.buffer).getUint32(0);
  }
  if (credit > received) throw new Error(`${credit} bytes were given back of ${received}`);
}

/**
 * Runs one case.
 *
 * @param seed of the run
 * @param index of the case
 * @param tally where the outcome is added
 * @param tries how often it may take too long, as another program may have the processor meanwhile
 * @throws {Error} if anything is not as it must be
 */
export function runH2Case(seed: number, index: number, tally: H2Tally, tries = 3): void {
  const choices = dice(caseRandom(seed, index));
  const { random, below, one } = choices;
  const user = new User(choices);
  const isClient = user.isClient = random() < 0.3;
  const h2 = new H2Connection(isClient ? "client" : "server", {
    onStream: user.onStream,
    streamWindow: 1 << 20,
    initialWindow: one([1000, WINDOW, 1 << 20, 1 << 20, 1 << 20]),
    connectionWindow: one([WINDOW, 1 << 20, 4 << 20]),
    maxStreams: one([2, 64]),
    now: () => 0,
  });
  if (isClient) { for (let n = 1 + below(5); n > 0; n--) user.onStream(h2.request(ASKED)!); }
  const all = goodFrames(isClient, choices);
  for (let n = one([0, 0, 1, 1, 1, 2, 4]); n > 0 && all.length > 0; n--) damage(all, choices);
  const input = joined([isClient ? hello().subarray(PREFACE.length) : hello(), ...all]);
  const start = performance.now();
  const sent: Uint8Array[] = [];
  const begun = h2.take(new Uint8Array(8192)); // with what the connection's window begins with
  h2.wrote();
  for (const piece of randomPieces(input, random)) {
    const room = h2.readInto();
    for (let at = 0; at < piece.length;) {
      const part = piece.slice(at, at + (room?.length || piece.length));
      room?.set(part);
      h2.push(room?.subarray(0, part.length) ?? part);
      at += part.length;
    }
    if (random() < 0.3 && user.streams.length > 0) user.act(one(user.streams), 0.5);
    if (random() < 0.7) take(h2, sent);
    if (random() < 0.01) h2.leave();
    const held = user.streams.reduce((sum, stream) => sum + stream.heldBytes, 0);
    if (held > 4 << 20) throw new Error(`${held} bytes are held`);
  }
  h2.finish();
  take(h2, sent);
  const ms = performance.now() - start;
  if (ms > H2_HANG_MS && tries > 1) return runH2Case(seed, index, tally, tries - 1);
  checkSent(joined(sent), input.length);
  checkEnd(h2, user, begun);
  tally.cases++;
  tally.streams += user.streams.length;
  tally.slowestMs = Math.max(tally.slowestMs, ms);
  if (ms > H2_HANG_MS) throw new Error(`case ${index} took ${ms} ms`);
  if (h2.error === undefined) tally.lived++;
  else {
    const name = h2.error.message.split(/[ :]/)[1]!;
    tally.errors[name] = (tally.errors[name] ?? 0) + 1;
  }
}

function take(h2: H2Connection, sent: Uint8Array[]): void {
  const into = new Uint8Array(100_000);
  for (let bytes = h2.take(into); bytes > 0; bytes = h2.take(into)) {
    sent.push(into.slice(0, bytes));
    h2.wrote();
  }
}

function checkEnd(h2: H2Connection, user: User, begun: number): void {
  if (begun === 0) throw new Error("it did not begin");
  const { error } = h2;
  // What is thrown by our own code, or by the user above, is a mistake.
  if (error !== undefined && !(error instanceof H2Error)) throw error;
  if (error?.code === ERROR.INTERNAL_ERROR) throw error.cause ?? error;
  if (!h2.isClosed || h2.openStreams > 0) throw new Error("it did not end");
  if (user.dones !== user.written) {
    throw new Error(`${user.dones} of ${user.written} writes were told that they are done`);
  }
  for (const stream of user.streams) {
    if (stream.isWritable || stream.heldBytes > 0 || stream.queuedBytes > 0) {
      throw new Error(`stream ${stream.id} did not end`);
    }
  }
}
