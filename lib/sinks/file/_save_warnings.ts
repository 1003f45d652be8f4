/**
 * Warnings about saving that are logged once, however often they apply.
 *
 * @module
 */
import type { BridgeCounts } from "../../bridge/mod.ts";
import type { Log, LogLevel } from "../../base/log.ts";
import type { Tally } from "../../base/tally.ts";
import { plural } from "../../base/plural.ts";

/** The warnings of one sink, each of which is written to the log once. */
export class SaveWarnings {
  readonly #said = new Set<string>();

  /**
   * @param log where the warnings go
   * @param name of the sink
   */
  constructor(readonly log: Log, readonly name: string) {}

  /** Warns that not all static data can be repeated in later files. */
  forgotten(): void {
    this.#say(
      "warn",
      "static data forgotten",
      "There is more static data than is kept for the beginning of further files: the oldest will " +
        "stand only where it was logged",
    );
  }

  /** Warns that what a file begins with is already longer than a file may be. */
  longBeginning(path: string, bytes: number, maxBytes: number): void {
    this.#say(
      "warn",
      "long beginning",
      `${path} begins with ${
        plural(bytes, "byte")
      } of static data and blueprints, more than a file may have ` +
        `by --rotate-size (${
          plural(maxBytes, "byte")
        }, option rotation.maxBytes): only what is new counts`,
    );
  }

  /** Warns, when all files are closed, of blueprints that are in no file. */
  unplaced(received: Tally, elsewhere: readonly Tally[]): void {
    const messages = elsewhere.reduce((rest, each) => rest - each.messages, received.messages);
    const bytes = elsewhere.reduce((rest, each) => rest - each.bytes, received.bytes);
    if (messages <= 0) return;
    this.#say(
      "warn",
      "blueprints in no file",
      `No file has ${plural(messages, "message")} (${
        plural(bytes, "byte")
      }) of blueprints: no recording of their ` +
        "application was being saved, or newer blueprints came first",
    );
  }

  /**
   * Warns, when all files are closed, of messages that could not be given today's form, or not
   * completely.
   */
  notBridged({ tables, damaged, unknown, untagged }: BridgeCounts): void {
    const texts = [
      tables > 0 && `${plural(tables, "message")} of SDK 0.16 and before, which are tables`,
      damaged > 0 && `${plural(damaged, "chunk")} whose schema can't be read`,
      unknown > 0 && `${plural(unknown, "message")} of unknown kinds`,
      untagged.size > 0 && `the archetype of columns of ${[...untagged.keys()].sort().join(", ")}`,
    ].filter((text) => text !== false);
    if (texts.length === 0) return;
    this.#say(
      "warn",
      "not in today's form",
      `Saved as it came, for want of a form that today's Rerun has for it: ${texts.join("; ")}`,
    );
  }

  #say(level: LogLevel, kind: string, text: string): void {
    if (this.#said.has(kind)) return;
    this.#said.add(kind);
    this.log.write(level, text, { path: this.name, kind });
  }
}
