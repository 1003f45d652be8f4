/**
 * Sends closed files as a whole to one target.
 *
 * @module
 */
import { reason } from "../base/errors.ts";
import type { FollowedFiles } from "../sinks/file/parts/follower.ts";
import type {
  JournaledFile,
  JournalEvent,
  JournalReader,
} from "../sinks/file/parts/part_journal.ts";
import { TargetBackoff } from "./backoff.ts";
import type { ForwardStats } from "./counts.ts";
import { type Cursor, DONE } from "./cursor.ts";
import { Delivery, type ForwarderOptions } from "./delivery.ts";
import type { FileTarget } from "./target.ts";
import { FileUnreadable } from "./_unreadable_now.ts";

interface Waiting {
  readonly file: JournaledFile;
  /** Since when the file is known, in milliseconds of the clock. */
  readonly since: number;
  /** Whether it is being sent, or waits because it can't be read now. */
  isUnderWay: boolean;
  /** How often it could not be read. */
  backoff?: TargetBackoff;
  /** Aborted when it need not be sent any more. */
  readonly left: AbortController;
}

/** Forwards closed files to one target, in the order in which they were begun. */
export class FileForwarder implements JournalReader {
  readonly #target: FileTarget;
  readonly #files: FollowedFiles;
  readonly #cursor: Cursor;
  readonly #delivery: Delivery;
  readonly #waiting = new Map<string, Waiting>();
  readonly #idle: (() => void)[] = [];
  #underWay = 0;
  readonly #random: () => number;

  /** As {@linkcode Forwarder}. */
  constructor(
    target: FileTarget,
    files: FollowedFiles,
    cursor: Cursor,
    options: ForwarderOptions = {},
  ) {
    this.#target = target;
    this.#files = files;
    this.#cursor = cursor;
    this.#random = options.random ?? Math.random;
    this.#delivery = new Delivery(target.name, files, cursor, options);
    void this.#delivery.check(target);
  }

  /** Counts and state of the target. */
  get stats(): ForwardStats {
    let bytes = 0;
    let oldest: number | undefined;
    for (const { file, since } of this.#waiting.values()) {
      bytes += file.size < Infinity ? file.size : file.line.bytes;
      oldest = Math.min(oldest ?? since, since);
    }
    return this.#delivery.stats({ bytes, oldest });
  }

  changed(file: JournaledFile, event: JournalEvent): void {
    if (event === "begun") {
      if (this.#cursor.placeOf(file.id) === DONE) {
        return this.#files.journal.finished(this, file.id);
      }
      const since = this.#files.now();
      const left = new AbortController();
      this.#waiting.set(file.id, { file, since, isUnderWay: false, left });
    }
    if (event === "gone") this.#gone(file);
    // Waits a moment, since the first files are announced before everything else is ready.
    if (event === "ready" || event === "begun") queueMicrotask(() => this.#pump());
  }

  removed(id: string): void {
    this.#cursor.forget(id);
  }

  knows(ids: ReadonlySet<string>): void {
    this.#delivery.known(ids);
  }

  strangers(names: readonly string[]): void {
    this.#delivery.strangers(names);
  }

  /** Sends what it can until the signal is aborted, and ends. Never rejects. */
  async close(signal: AbortSignal): Promise<void> {
    const stop = () => {
      this.#delivery.close();
      for (const { left } of this.#waiting.values()) left.abort(new Error("the program ends"));
    };
    signal.addEventListener("abort", stop);
    // A target that can't be reached now will hardly be reached before the end.
    if (!signal.aborted && this.#delivery.isWorking) {
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve());
        this.#idle.push(resolve);
        this.#pump();
      });
    }
    stop();
    while (this.#underWay > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    await this.#delivery.closeTarget(this.#target);
    await this.#cursor.close();
  }

  #pump(): void {
    for (const waiting of this.#waiting.values()) {
      if (this.#delivery.isOver) break;
      if (this.#underWay >= this.#target.maxUnderWay) break;
      if (waiting.isUnderWay || !waiting.file.isReady) continue;
      waiting.isUnderWay = true;
      this.#underWay++;
      void this.#send(waiting).finally(() => {
        this.#underWay--;
        this.#forgetGone(waiting);
        this.#pump();
      });
    }
    if (this.#underWay === 0) { for (const task of this.#idle.splice(0)) task(); }
  }

  async #send(waiting: Waiting): Promise<void> {
    const { file, left } = waiting;
    const { name, bytes, messages = 0 } = file.line;
    const closed = { id: file.id, path: this.#files.folder + name, name, bytes };
    const send = (signal: AbortSignal) => this.#target.sendFile(closed, signal);
    try {
      const refusal = await this.#delivery.deliver({ messages, bytes }, send, left.signal);
      if (refusal?.scope === "target") return this.#delivery.stop(refusal);
      if (refusal !== undefined) {
        if (file.state === "gone") return;
        if (await this.#files.journal.isAway()) throw new FileUnreadable(reason(refusal));
        this.#delivery.refusedFile(name, { messages, bytes }, refusal);
      }
      this.#waiting.delete(file.id);
      if (file.state === "gone") return;
      await this.#cursor.note(file.id, DONE);
      this.#files.journal.finished(this, file.id);
    } catch (error) {
      if (left.signal.aborted) return;
      if (!(error instanceof FileUnreadable)) throw error;
      void this.#sendLater(waiting, error);
    }
  }

  /** Has a file sent once more that can't be read now; meanwhile others are sent. */
  async #sendLater(waiting: Waiting, error: FileUnreadable): Promise<void> {
    const backoff = waiting.backoff ??= new TargetBackoff(this.#random);
    const { file: { line: { name } }, left } = waiting;
    await this.#delivery.waitUntilReadable(name, backoff, error, left.signal);
    waiting.isUnderWay = false;
    this.#forgetGone(waiting);
    this.#pump();
  }

  /** While it is being sent, that is awaited: it may still be accepted. */
  #gone({ id }: JournaledFile): void {
    this.#cursor.forget(id);
    const waiting = this.#waiting.get(id);
    waiting?.left.abort(new Error("it was removed"));
    if (waiting?.isUnderWay === false) this.#forgetGone(waiting);
  }

  /** Counts a file that was removed before it was sent, if it was. */
  #forgetGone({ file: { id, state, line } }: Waiting): void {
    if (state !== "gone" || !this.#waiting.delete(id)) return;
    const { name, bytes, messages = 0, hasData } = line;
    if (hasData) this.#delivery.dropped(name, { messages, bytes }, "it");
  }
}
