/**
 * Whether a server is ready for work, asked of all its parts by name.
 *
 * @module
 */
import { checkGiven, hasMethods } from "./check_arguments.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { reason } from "./errors.ts";

/** Why a part is not ready, in a few words; `undefined` if it is. */
export type ReadyCheck = () => string | undefined | Promise<string | undefined>;

/** What `/readyz` gives. */
export interface ReadyReport {
  /** Whether all parts are. */
  readonly ready: boolean;
  /** Each part's name with `"ok"`, or why it is not ready. */
  readonly checks: Readonly<Record<string, string>>;
}

/** A part that has not answered for so long is not ready, in milliseconds. */
const DEADLINE_MS = 2000;

/**
 * The parts of a server, and whether each is ready.
 *
 * @example
 * ```ts
 * import { Readiness } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * const readiness = new Readiness();
 * readiness.add("camera", () => "no picture yet");
 * const { ready, checks } = await readiness.report();
 * assertEquals([ready, checks["camera"]], [false, "no picture yet"]);
 * ```
 */
export class Readiness {
  readonly #checks = new Map<string, ReadyCheck>();
  readonly #delay: Clock["delay"];

  /**
   * Begins with no parts: that is ready.
   *
   * @param delay resolves after so many milliseconds; default by a timer
   */
  constructor(delay: Clock["delay"] = SYSTEM_CLOCK.delay) {
    this.#delay = delay;
  }

  /**
   * Adds a part, or puts another check in the place of one of that name.
   *
   * @param name as `/readyz` shows it
   * @param check called at each request, so it should be cheap; if it throws, the part is not ready
   * @returns a function that takes the part out
   */
  add(name: string, check: ReadyCheck): () => void {
    this.#checks.set(name, check);
    return () => {
      if (this.#checks.get(name) === check) this.#checks.delete(name);
    };
  }

  /** Asks all parts at once, each for 2 s at most. Never rejects. */
  async report(): Promise<ReadyReport> {
    const late = this.#delay(DEADLINE_MS).then(() => `no answer for ${DEADLINE_MS / 1000} s`);
    const asked = [...this.#checks].map(async ([name, check]) => {
      const why = await Promise.race([answerOf(check), late]);
      return [name, why ?? "ok"] as const;
    });
    const checks = await Promise.all(asked);
    return { ready: checks.every(([, text]) => text === "ok"), checks: Object.fromEntries(checks) };
  }
}

async function answerOf(check: ReadyCheck): Promise<string | undefined> {
  try {
    return await check();
  } catch (error) {
    return reason(error);
  }
}

/**
 * Refuses what is none.
 *
 * @param taker the function that takes one
 * @param readiness what was passed; one that is left out is not looked at
 * @throws {TypeError} that names the function
 */
export function checkReadiness(taker: string, readiness: unknown): void {
  const isOne = readiness === undefined || hasMethods(readiness, "add");
  checkGiven(taker, "readiness, a Readiness", isOne, readiness);
}
