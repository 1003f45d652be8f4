/**
 * `rrd replay`: sends files to a server as SDKs do.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { isNewProtobuf } from "../../encoding/rrd/same_encoding.ts";
import type { RrdPart } from "../../encoding/rrd/part.ts";
import { RerelayError } from "../../base/errors.ts";
import { Pacer } from "../../recordings/replay.ts";
import { EXIT } from "../exit_codes.ts";
import { plural } from "../../base/plural.ts";
import { formatBytes, formatDuration } from "../terminal/units.ts";
import { nameOf, partsOver } from "./input.ts";
import type { RrdContext } from "./context.ts";
import type { RrdOptions } from "./options.ts";
import { senderTo } from "./replay_sender.ts";
import { targetFor, targetText } from "./targets.ts";

/** How many jumps of the clock are told one by one. */
const JUMPS_TOLD = 10;
/** A wait that is longer than this, in milliseconds, is told. */
const LONG_WAIT_MS = 5000;
/** Longer waits are split, in milliseconds: timers can't wait for a month. */
const LONGEST_TIMER_MS = 3_600_000;

/**
 * Runs the command, file after file, each as a client of its own; ends once the server has taken
 * everything.
 */
export async function replay(options: RrdOptions, context: RrdContext): Promise<number> {
  for (const path of options.files) await replayFile(path, options, context);
  return EXIT.ok;
}

async function replayFile(path: string, options: RrdOptions, context: RrdContext): Promise<void> {
  const { process, progress } = context;
  const began = SYSTEM_CLOCK.now();
  const pace = new Pace(options, context);
  const input = partsOver(path, options, context);
  // Read first, so that a file that can't be read is told before a server is looked for.
  let batch = await input.next();
  const target = targetFor(options.to, isNewer(batch.value));
  const timeoutMs = options.timeoutSec * 1000;
  const sender = await senderTo(target, timeoutMs, nameOf(path), (text) => progress.line(text));
  let [messages, bytes] = [0, 0];
  try {
    for (; !batch.done; batch = await input.next()) {
      for (const part of batch.value) {
        if (part.kind !== "message") continue;
        await pace.wait(part.msg, messages + 1);
        if (!await sender.send(part.msg)) continue;
        messages++;
        bytes += part.bytes;
      }
    }
    await sender.finish();
  } catch (error) {
    sender.destroy();
    if (!sender.isLost(error)) throw error;
    const text = `The server ${targetText(target)} went away after ${plural(messages, "message")}`;
    const why = error instanceof RerelayError ? `: ${error.message}` : "";
    throw new RerelayError(text + why, { cause: error });
  }
  pace.done();
  for (const line of sender.warnings) progress.line(`warning: ${nameOf(path)}: ${line}`);
  progress.done();
  const seconds = (SYSTEM_CLOCK.now() - began) / 1000;
  if (options.json) {
    const file = options.files.length > 1 ? { file: nameOf(path) } : {};
    process.stdout(`${JSON.stringify({ ...file, messages, bytes, seconds })}\n`);
  } else {
    process.stderr(
      `${nameOf(path)}: ${plural(messages, "message")}, ${formatBytes(bytes)}, sent to ` +
        `${targetText(target)} in ${formatDuration(seconds)}\n`,
    );
  }
}

/** Whether the first data of a file is of SDK 0.23 or later. */
function isNewer(parts: readonly RrdPart[] | undefined | void): boolean {
  const first = parts?.find((part) => part.kind === "header");
  return first?.kind === "header" && isNewProtobuf(first.header);
}

/** Keeps the pace of the log, and tells when its clock jumps. */
class Pace {
  readonly #pacer: Pacer;
  readonly #maxGapSec: number;
  readonly #tell: (text: string) => void;
  #jumps = 0;

  constructor({ speed, maxGapSec }: RrdOptions, { progress }: RrdContext) {
    this.#pacer = new Pacer(speed, maxGapSec);
    this.#maxGapSec = maxGapSec;
    this.#tell = (text) => progress.line(text);
  }

  /** Resolves when it is time for a message, which is the file's message `number`. */
  async wait(msg: Parameters<Pacer["delay"]>[0], number: number): Promise<void> {
    const pacer = this.#pacer;
    const waitMs = pacer.delay(msg, SYSTEM_CLOCK.now());
    if (pacer.jumpSec !== 0 && ++this.#jumps <= JUMPS_TOLD) {
      this.#tell(jumpText(pacer.jumpSec, number, this.#maxGapSec));
    }
    if (waitMs > LONG_WAIT_MS) {
      this.#tell(`waiting ${formatDuration(waitMs / 1000)} for message ${number}`);
    }
    for (let left = waitMs; left > 0; left -= LONGEST_TIMER_MS) {
      await SYSTEM_CLOCK.delay(Math.min(left, LONGEST_TIMER_MS));
    }
  }

  /** Tells how many jumps were not told one by one. */
  done(): void {
    if (this.#jumps <= JUMPS_TOLD) return;
    this.#tell(`warning: the clock of the log jumped ${this.#jumps - JUMPS_TOLD} times more`);
  }
}

function jumpText(seconds: number, message: number, maxGapSec: number): string {
  const way = seconds > 0 ? "forwards" : "back";
  return `warning: the clock of the log jumps ${formatDuration(Math.abs(seconds))} ${way} at ` +
    `message ${message}: not waited for, as it is more than --max-gap ${formatDuration(maxGapSec)}`;
}
