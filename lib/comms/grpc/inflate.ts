/**
 * Messages that a peer has compressed, which gRPC lets it do one by one.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { InvalidMessage, MessageTooLarge, reason } from "../../base/errors.ts";
import { GatheredBytes } from "./gathered_bytes.ts";
import { GrpcError, STATUS } from "./status.ts";

/** Compressions of messages that are known here. */
export type Encoding = "gzip" | "deflate";

/** Which compressions peers are told that they may use. */
export const ACCEPTED_ENCODINGS = "identity,gzip,deflate";

/** Bytes that the decompressor is given at once; of the densest data they become 1 MiB. */
const PIECE_BYTES = 1024;

/** After so many inflated bytes others have their turn. */
const TURN_BYTES = 512 * 1024;

/**
 * How long copying waits after each 64 MiB of a message, in milliseconds: Bun gives freed memory back by
 * a thread that looks for it ten times a second, and not when a buffer is freed
 * (`new ArrayBuffer(2 ** 28).transfer(0)`, written before: `VmRSS` stays for a moment).
 */
const FREED_MS = 100;

/** How many messages are inflated at the same time: each holds what its last piece became. */
const AT_ONCE = 2;

/**
 * Reads how the compressed messages of a call are compressed.
 *
 * @param header `grpc-encoding`, if the call has it
 * @returns `undefined` if none are
 * @throws {GrpcError} UNIMPLEMENTED for what is not known here
 */
export function encodingOf(header: string | undefined): Encoding | undefined {
  const name = header?.trim().toLowerCase() ?? "identity";
  if (name === "identity") return undefined;
  if (name === "gzip" || name === "deflate") return name;
  const text = `The compression ${name.slice(0, 32)} is not known here, but ${ACCEPTED_ENCODINGS}`;
  throw new GrpcError(STATUS.UNIMPLEMENTED, text);
}

/** Gives the turns to inflate, in the order in which they were asked for. */
export class InflationTurns {
  #running = 0;
  /** Those that wait, in their order. */
  readonly #waiting = new Set<() => void>();

  /**
   * Waits for a turn.
   *
   * @param onWait is given a function that gives the turn up, if it has to be waited for
   * @returns whether it is the caller's turn, who must call `end` afterwards; `false` if it was given up
   */
  async begin(onWait: (giveUp: () => void) => void = () => {}): Promise<boolean> {
    if (this.#running < AT_ONCE) {
      this.#running++;
      return true;
    }
    return await new Promise<boolean>((resolve) => {
      const turn = () => resolve(true);
      this.#waiting.add(turn);
      onWait(() => {
        if (this.#waiting.delete(turn)) resolve(false);
      });
    });
  }

  /** Gives the turn to the next one. */
  end(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#running--;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}

/** Options of {@linkcode Inflation}. */
export interface InflationOptions {
  readonly encoding: Encoding;
  /** Limit of the message in bytes, once it is inflated. */
  readonly maxMessageBytes: number;
  /** Bytes before the message, in the same buffer, that the caller may overwrite; default 0. */
  readonly headroom?: number;
  /** Called when more memory is taken. */
  readonly onGrow?: () => void;
  /** The turns of all that share them; left out, nobody waits. */
  readonly turns?: InflationTurns | undefined;
}

/** Inflates one message, by the runtime's own stream, and never beyond its limit. */
export class Inflation {
  readonly #options: InflationOptions;
  #heldBytes = 0;
  #isCancelled = false;
  /** Gives up its turn; set while it is waited for. */
  #giveUp: (() => void) | undefined;

  /** @param options how, and how far */
  constructor(options: InflationOptions) {
    this.#options = options;
  }

  /** Bytes of memory taken: the compressed message, and what was inflated so far. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Gives it up; `run` then rejects, at once if it waits for its turn: what it holds counts no longer,
   * so nobody may hold it until all before it are done.
   */
  cancel(): void {
    this.#isCancelled = true;
    this.#heldBytes = 0;
    this.#giveUp?.();
  }

  /**
   * Inflates the message.
   *
   * @param compressed the message, to which nobody else writes
   * @returns the inflated message, in memory of its own
   * @throws {MessageTooLarge} as soon as it is
   * @throws {InvalidMessage} if the data is damaged
   */
  async run(compressed: Uint8Array): Promise<Uint8Array> {
    const { turns } = this.#options;
    this.#heldBytes = compressed.length;
    const isTurn = await turns?.begin((giveUp) => this.#giveUp = giveUp) ?? true;
    if (!isTurn) throw callIsOver();
    try {
      if (this.#isCancelled) throw callIsOver();
      return await this.#inflate(compressed);
    } finally {
      turns?.end();
    }
  }

  async #inflate(compressed: Uint8Array): Promise<Uint8Array> {
    const { encoding, maxMessageBytes, headroom = 0, onGrow } = this.#options;
    const { readable, writable } = new DecompressionStream(encoding);
    const writer = writable.getWriter();
    const reader = readable.getReader();
    const feeding = feed(writer, compressed);
    // The reading below fails for the same reason, and throws it.
    feeding.catch(() => {});
    const gathered = new GatheredBytes();
    let sinceTurn = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (this.#isCancelled) throw callIsOver();
        if (done) break;
        const more = value.length;
        gathered.add(value);
        const { length } = gathered;
        if (length > maxMessageBytes) throw new MessageTooLarge(length, maxMessageBytes);
        this.#heldBytes += more;
        onGrow?.();
        sinceTurn += more;
        if (sinceTurn < TURN_BYTES) continue;
        sinceTurn = 0;
        // Without this the loop would keep all others waiting until the message is done.
        await SYSTEM_CLOCK.delay(0);
      }
      await feeding;
      const whole = await gathered.join(headroom, async () => {
        await SYSTEM_CLOCK.delay(FREED_MS);
        if (this.#isCancelled) throw callIsOver();
      });
      this.#heldBytes = 0;
      return whole.subarray(headroom);
    } catch (error) {
      this.#heldBytes = 0;
      gathered.drop();
      writer.abort(error).catch(() => {});
      reader.cancel(error).catch(() => {});
      if (error instanceof MessageTooLarge || error instanceof GrpcError) throw error;
      const text = `A message is no ${encoding} data: ${reason(error)}`;
      throw new InvalidMessage(text, { cause: error });
    }
  }
}

function callIsOver(): GrpcError {
  return new GrpcError(STATUS.CANCELLED, "The call is over");
}

/** What is used of a writer: the types of a `DecompressionStream` differ from runtime to runtime. */
interface Writer {
  readonly ready: Promise<unknown>;
  write(piece: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
}

async function feed(writer: Writer, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    await writer.ready;
    await writer.write(bytes.slice(at, at + PIECE_BYTES));
  }
  await writer.close();
}
