/**
 * Recovers, in the background, what an earlier run left, and never removes anything that could
 * still be read.
 *
 * @module
 */
import { takeOverPlace, unkeptText } from "../../../adapters/files/in_place.ts";
import type { FileAdapter } from "../../../adapters/files/types.ts";
import { FileExists, reason } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import type { RrdReport } from "../../../recordings/report.ts";
import { RrdConcat } from "../../../encoding/rrd/rrd_concat.ts";
import { FileHash } from "./_file_hash.ts";
import type { FolderSync } from "./folder_sync.ts";
import type { FileLine } from "./_index_line.ts";
import { inspect, type Inspected, partsOf } from "./_inspect.ts";
import type { Leftover } from "./_leftovers.ts";
import { COPY_SUFFIX, DAMAGED_SUFFIX, type PartIndex } from "./part_index.ts";
import type { IndexRenewal } from "./index_renewal.ts";
import { PART_SUFFIX } from "../writer/writer_options.ts";
import { soundLength } from "./_structure.ts";
import { plural } from "../../../base/plural.ts";

/** Options of {@linkcode recoverAll}. */
export interface RecoverOptions {
  /** With the separator at its end. */
  readonly folder: string;
  readonly adapter: FileAdapter;
  readonly log: Log;
  readonly index: PartIndex;
  readonly names: FolderSync;
  /** Called with the names of surplus files that were removed. */
  readonly onRemoved: (names: readonly string[]) => void;
  /** Takes files that are to get a list of their chunks; absent if that is not wanted. */
  readonly renewal: Pick<IndexRenewal, "add"> | undefined;
}

/**
 * Recovers files, one after another.
 *
 * @param leftovers the files to recover
 * @param options where they are, and who is told
 * @param signal ends the work; the next start goes on with it
 * @returns resolves when all are recovered; a file that can't be is logged and left as it is. Never
 * rejects
 */
export async function recoverAll(
  leftovers: readonly Leftover[],
  options: RecoverOptions,
  signal: AbortSignal,
): Promise<void> {
  const recoveries = leftovers.map((leftover) => new Recovery(leftover, options, signal));
  // All get their names before the first one is looked into, which may take long.
  for (const recovery of recoveries) await recovery.try(() => recovery.keepSound());
  for (const recovery of recoveries) await recovery.try(() => recovery.run());
}

class Recovery {
  #line: FileLine;
  /** The name that the file has now. */
  #at: string;
  readonly #before: string;
  #isOver = false;
  #cutBytes = 0;

  constructor(
    leftover: Leftover,
    readonly options: RecoverOptions,
    readonly signal: AbortSignal,
  ) {
    this.#line = leftover.line;
    this.#at = leftover.at;
    const { name, was = name } = leftover.line;
    this.#before = options.folder + was + PART_SUFFIX;
  }

  /** Does a step; if it fails that is logged, and no further step is done. */
  async try(step: () => Promise<void>): Promise<void> {
    if (this.#isOver) return;
    try {
      await step();
    } catch (error) {
      this.#isOver = true;
      const { folder, log, index } = this.options;
      const path = folder + this.#at;
      index.journal?.skipped(this.#line.id);
      if (this.signal.aborted) {
        return log.write("info", `${path} is looked at again at the next start`, { path });
      }
      const text = `${path}, left by an earlier run, could not be recovered: ${reason(error)}; ` +
        "it stays, and is tried again at the next start";
      log.write("error", text, { path });
    }
  }

  /** Gives a file its name if all fits but a torn end: that need not wait for a look inside. */
  async keepSound(): Promise<void> {
    this.signal.throwIfAborted();
    if (this.#at === this.#line.name) return;
    const { size, whole } = await this.#lengths();
    if (whole === undefined) return;
    if (whole < size) await this.#cut(whole, size);
    await this.#giveName();
    const path = this.#before;
    const text =
      `${path}, left by an earlier run, is ${this.#line.name} now${this.#torn}, and is ` +
      "looked into";
    this.options.log.write("info", text, { path });
  }

  /** Looks into the file, and does what has to be done. */
  async run(): Promise<void> {
    const { folder, adapter } = this.options;
    this.signal.throwIfAborted();
    const found = await inspect(folder + this.#at, adapter, this.signal);
    if (found.isTornInside) return await this.#copy(found);
    if (found.whole === 0) return await this.#setAside(found);
    const isWhole = found.whole === found.size;
    if (!isWhole) await this.#cut(found.whole, found.size);
    await this.#giveName();
    this.#say(`Kept ${this.#before}, left by an earlier run, as ${this.#line.name}${this.#torn}`);
    const { messages } = found.report;
    const hash = isWhole ? found.hash : await this.#hash();
    await this.#recovered({ bytes: found.whole, messages, hash });
  }

  async #lengths(): Promise<{ size: number; whole: number | undefined }> {
    const file = await this.options.adapter.openAt(this.options.folder + this.#at);
    try {
      return { size: file.size, whole: await soundLength(file, this.signal) };
    } finally {
      await file.close();
    }
  }

  get #torn(): string {
    const bytes = this.#cutBytes;
    return bytes === 0
      ? ""
      : `, without its last ${plural(bytes, "byte")}, in which no message is whole`;
  }

  async #giveName(): Promise<void> {
    const { folder, adapter, names } = this.options;
    const { name } = this.#line;
    if (this.#at === name) return;
    if (await adapter.kind(folder + name) !== undefined) throw new FileExists(folder + name);
    await adapter.rename(folder + this.#at, folder + name);
    this.#at = name;
    await names.sync();
  }

  /** Cuts off a torn end, behind which nothing is whole. */
  async #cut(whole: number, size: number): Promise<void> {
    const { folder, adapter } = this.options;
    const file = await adapter.create(folder + this.#at, "append");
    try {
      await file.truncate(whole);
      await file.sync();
    } finally {
      await file.close();
    }
    this.#cutBytes += size - whole;
  }

  /**
   * Handles a file without a whole message: it is removed if it only is the beginning of a
   * recording, else it stays.
   */
  async #setAside({ size, report }: Inspected): Promise<void> {
    const { folder, adapter, index } = this.options;
    const path = folder + this.#at;
    if (report.bytes === 0 || await this.#isBeginning(path)) {
      await adapter.remove(path);
      await index.drop(this.#line);
      this.#say(`Removed ${this.#before}, left by an earlier run: no whole message is in it`, {
        bytes: size,
      });
      return;
    }
    const original = this.#line.name + DAMAGED_SUFFIX;
    await this.#checkFree(original);
    await adapter.rename(path, folder + original);
    await index.drop(this.#line);
    this.#say(`No whole message is in ${this.#before}: it is now ${original}`, { bytes: size });
  }

  /** Whether a file begins with a header, or is all zeros, as a power cut may leave it. */
  async #isBeginning(path: string): Promise<boolean> {
    const file = await this.options.adapter.openAt(path);
    const head = new Uint8Array(12);
    const length = await file.readAt(0, head).finally(() => file.close());
    const magic = Uint8Array.of(0x52, 0x52, 0x46, 0x32);
    const isHeader = head.subarray(0, Math.min(length, 4)).every((byte, i) => byte === magic[i]);
    return isHeader || head.every((byte) => byte === 0);
  }

  /** Copies all that is whole to a new file, and exchanges the two once the copy is on the disk. */
  async #copy({ report, size }: Inspected): Promise<void> {
    const { folder, adapter, index, names } = this.options;
    const { name } = this.#line;
    const [copy, original] = [name + COPY_SUFFIX, name + DAMAGED_SUFFIX];
    for (const taken of [copy, original]) await this.#checkFree(taken);
    await index.note(this.#line = { ...this.#line, state: "copying", bytes: size });
    const { bytes, hash, before } = await this.#writeCopy(folder + copy, size);
    // At most one message per lost byte was lost, so the numbers behind the damage are above all
    // lost ones.
    await index.note(this.#line = { ...this.#line, hole: [before, report.lostBytes] });
    await adapter.rename(folder + this.#at, folder + original);
    await adapter.rename(folder + copy, folder + name);
    await names.sync();
    this.#say(
      `Recovered ${this.#before}, left by an earlier run, as ${name}: ` +
        `${plural(report.messages, "whole message")}, ${plural(report.lostBytes, "byte")} lost ${
          lossText(report)
        }; the original is ${original}`,
      { messages: report.messages, lost: report.lostBytes },
    );
    await this.#recovered({ bytes, messages: report.messages, hash, damaged: size });
  }

  async #checkFree(name: string): Promise<void> {
    const { folder, adapter } = this.options;
    if (await adapter.kind(folder + name) === undefined) return;
    throw new Error(`${folder + name} is in the way: move it, for the recovery needs that name`);
  }

  async #writeCopy(
    path: string,
    size: number,
  ): Promise<{ bytes: number; hash: string; before: number }> {
    const { folder, adapter, index, log } = this.options;
    const file = await adapter.create(path, "new");
    const hash = new FileHash();
    let bytes = 0;
    /** How many messages are before the first damage. */
    let before = 0;
    let isDamaged = false;
    try {
      const unkept = await takeOverPlace(adapter, path, folder + this.#at);
      if (unkept !== undefined) {
        const text = unkeptText(folder + this.#line.name, unkept);
        log.write("warn", text, { path: folder + this.#line.name, kind: "rights not kept" });
      }
      const put = async (data: Uint8Array) => {
        await file.write(data);
        hash.update(data);
        bytes += data.length;
      };
      const concat = new RrdConcat();
      for await (const part of partsOf(folder + this.#at, adapter, this.signal)) {
        isDamaged ||= part.kind === "damage" || (part.kind === "header" && part.isGuessed);
        if (part.kind !== "message") continue;
        if (!isDamaged) before++;
        for (const data of concat.message(part.msg.encoded)) await put(data);
      }
      for (const data of concat.end()) await put(data);
      await file.sync();
      await file.close();
      return { bytes, hash: hash.text, before };
    } catch (error) {
      await file.close().catch(() => {});
      await adapter.remove(path);
      // The copy was removed: from now on a file of that name is somebody else's.
      await index.note(this.#line = { ...this.#line, state: "left" });
      if (this.signal.aborted) throw error;
      throw new Error(
        `${reason(error)} (about ${
          plural(Math.max(0, size - bytes), "byte")
        } more are needed for a copy)`,
        { cause: error },
      );
    }
  }

  async #hash(): Promise<string> {
    const { folder, adapter } = this.options;
    const hash = new FileHash();
    for await (const bytes of await adapter.open(folder + this.#at)) {
      this.signal.throwIfAborted();
      hash.update(bytes);
    }
    return hash.text;
  }

  async #recovered(known: Partial<FileLine>): Promise<void> {
    const { was: _, ...line } = this.#line;
    const { index, onRemoved, renewal } = this.options;
    const footer = renewal === undefined ? "none" : "pending";
    const recovered: FileLine = { ...line, ...known, state: "closed", footer };
    onRemoved(await index.recovered(recovered));
    renewal?.add(recovered);
  }

  #say(text: string, fields: Record<string, unknown> = {}): void {
    const { log } = this.options;
    log.write("warn", text, { path: this.#before, target: this.#line.name, ...fields });
  }
}

function lossText({ listed, losses }: RrdReport): string {
  const [first] = listed;
  if (first === undefined) return "of its beginning";
  return `at byte ${first.offset}${losses > 1 ? ` and at ${losses - 1} more places` : ""}`;
}
