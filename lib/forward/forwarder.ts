/**
 * Sends what is in files to one target: each file in order, files of one recording one after the other,
 * others side by side.
 *
 * @module
 */
import { reason } from "../base/errors.ts";
import { addTo, newTally } from "../base/tally.ts";
import type { FollowedFiles } from "../sinks/file/parts/follower.ts";
import type {
  JournaledFile,
  JournalEvent,
  JournalReader,
} from "../sinks/file/parts/part_journal.ts";
import type { ForwardStats } from "./counts.ts";
import { BEGINNING, type Cursor, DONE } from "./cursor.ts";
import { FileQueue, type QueuedFile } from "./_file_queue.ts";
import { Outage } from "./outage.ts";
import { PartReader, type ReadMessage } from "./part_reader.ts";
import { RateLimit } from "./_rate_limit.ts";
import { type MessageTarget, TargetRefused } from "./target.ts";

/** What a forwarder works with besides. */
export interface ForwarderOptions {
  /** Bytes of messages a second at most; default no limit. */
  readonly maxBytesPerSec?: number;
  /** From 0 to 1, below 1; default `Math.random`. */
  readonly random?: () => number;
  /** Milliseconds since the Unix epoch; default `Date.now`. */
  readonly date?: () => number;
}

/** Forwards to one target. */
export class Forwarder implements JournalReader {
  readonly #target: MessageTarget;
  readonly #files: FollowedFiles;
  readonly #cursor: Cursor;
  readonly #queue: FileQueue;
  readonly #outage: Outage;
  readonly #rate: RateLimit;
  readonly #date: () => number;
  readonly #stopping = new AbortController();
  readonly #idle: (() => void)[] = [];
  #underWay = 0;
  #isStopped = false;
  readonly #sent = newTally();
  readonly #refused = newTally();
  readonly #dropped = newTally();
  #lastAckMs: number | undefined;
  /** Groups of which a part was dropped before it was sent. */
  readonly #gaps = new Set<string>();

  /**
   * @param target where to
   * @param files what is written, and where
   * @param cursor of this target
   * @param options limits, randomness
   */
  constructor(
    target: MessageTarget,
    files: FollowedFiles,
    cursor: Cursor,
    options: ForwarderOptions = {},
  ) {
    const { random = Math.random, date = Date.now, maxBytesPerSec = Infinity } = options;
    const { log, now, timer } = files;
    this.#target = target;
    this.#files = files;
    this.#cursor = cursor;
    this.#date = date;
    this.#outage = new Outage({ name: target.name, log, now, random, timer });
    this.#rate = new RateLimit(maxBytesPerSec, now, timer);
    this.#queue = new FileQueue(target.limits, { now, timer, onReady: () => this.#pump() });
  }

  /** How it does. */
  get stats(): ForwardStats {
    const { now } = this.#files;
    const { since, error } = this.#outage;
    const { bytes, oldest } = this.#queue.lag();
    const seconds = (from: number | undefined) =>
      from === undefined ? 0 : Math.max(0, now() - from) / 1000;
    return {
      target: this.#target.name,
      sent: { ...this.#sent },
      refused: { ...this.#refused },
      dropped: { ...this.#dropped },
      lagBytes: bytes,
      lagSec: seconds(oldest),
      ...(this.#lastAckMs === undefined ? {} : { lastAckMs: this.#lastAckMs }),
      outageSec: seconds(since),
      ...(error === undefined ? {} : { error }),
      isStopped: this.#isStopped,
    };
  }

  changed(file: JournaledFile, event: JournalEvent): void {
    const { journal } = this.#files;
    switch (event) {
      case "begun": {
        const place = this.#cursor.placeOf(file.id);
        if (place === DONE) return journal.settle(this, file.id);
        const isWhole = place.isWhole || this.#gaps.delete(file.line.group ?? file.id);
        const from = isWhole && place === BEGINNING ? { ...place, isWhole } : place;
        return this.#queue.add(file, from, new PartReader(file, from, this.#files));
      }
      case "skipped":
        return void this.#queue.remove(file.id);
      case "gone":
        return this.#gone(file);
      default:
        return this.#queue.changed(file.id);
    }
  }

  /** Sends what it can until the signal, and ends. Never rejects. */
  async close(signal: AbortSignal): Promise<void> {
    const stop = () => this.#stopping.abort(new Error("the program ends"));
    signal.addEventListener("abort", stop);
    this.#queue.hurry();
    this.#pump();
    // Whoever can't be reached now will not be in a moment.
    if (!signal.aborted && this.#outage.since === undefined && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve());
        this.#onIdle(() => resolve());
      });
    }
    stop();
    this.#outage.close();
    await new Promise<void>((resolve) => this.#underWay === 0 ? resolve() : this.#onIdle(resolve));
    this.#queue.close();
    await this.#target.close().catch(() => {}); // nothing is asked of it any more
    await this.#cursor.close();
  }

  #onIdle(task: () => void): void {
    this.#idle.push(task);
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#underWay > 0 || (this.#queue.hasReady && !this.#isOver)) return;
    for (const task of this.#idle.splice(0)) task();
  }

  get #isOver(): boolean {
    return this.#isStopped || this.#stopping.signal.aborted;
  }

  #pump(): void {
    while (!this.#isOver && this.#underWay < this.#target.limits.maxUnderWay) {
      const queued = this.#queue.take();
      if (queued === undefined) break;
      this.#underWay++;
      void this.#step(queued).finally(() => {
        this.#underWay--;
        this.#queue.release(queued);
        this.#pump();
        this.#tellIdle();
      });
    }
    this.#tellIdle();
  }

  /** Sends one batch of a file; what goes wrong is told. */
  async #step(queued: QueuedFile): Promise<void> {
    const { log } = this.#files;
    const { signal } = this.#stopping;
    const { file, reader } = queued;
    try {
      const messages = await reader.next(this.#target.limits.maxBytes, signal);
      if (messages.length > 0) await this.#send(file.id, messages);
      queued.acked = reader.place;
      if (reader.isAtEnd) return await this.#done(queued);
      if (messages.length > 0) await this.#cursor.note(file.id, reader.place);
    } catch (error) {
      if (signal.aborted || file.state === "gone") return;
      if (error instanceof TargetRefused && error.scope === "target") return this.#stop(error);
      const { name } = file.line;
      const text = `The rest of ${name} can't be forwarded to ${this.#target.name}: ` +
        `${reason(error)}; see rrd verify`;
      log.write("error", text, { path: name, target: this.#target.name, kind: "not forwarded" });
      await this.#done(queued);
    }
  }

  /** Sends messages until they are taken; what is refused is split until it is known which. */
  async #send(file: string, messages: readonly ReadMessage[]): Promise<void> {
    const { signal } = this.#stopping;
    const bytes = messages.reduce((sum, { msg }) => sum + msg.encoded.bytes.length, 0);
    for (;;) {
      await this.#rate.take(bytes, signal);
      await this.#outage.turn(signal);
      try {
        await this.#target.send({ file, messages, bytes }, signal);
        this.#outage.worked();
        addTo(this.#sent, { messages: messages.length, bytes });
        this.#lastAckMs = this.#date();
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        if (!(error instanceof TargetRefused)) {
          this.#outage.failed(error);
          continue;
        }
        this.#outage.gaveUp();
        if (error.scope === "target") throw error;
        if (messages.length === 1) return this.#refuse(bytes, error);
        const half = messages.length >> 1;
        await this.#send(file, messages.slice(0, half));
        return await this.#send(file, messages.slice(half));
      }
    }
  }

  #refuse(bytes: number, error: TargetRefused): void {
    addTo(this.#refused, { messages: 1, bytes });
    const { name } = this.#target;
    const text = `A message of ${bytes} bytes is not forwarded to ${name}: ${reason(error)}`;
    this.#files.log.write("warn", text, { target: name, kind: "forward refused" });
  }

  async #done({ file, reader }: QueuedFile): Promise<void> {
    await reader.close();
    this.#queue.remove(file.id);
    await this.#cursor.note(file.id, DONE);
    this.#files.journal.settle(this, file.id);
  }

  #stop(error: TargetRefused): void {
    this.#isStopped = true;
    const { name } = this.#target;
    const text = `Nothing is forwarded to ${name} any more: ${reason(error)}`;
    this.#files.log.write("error", text, { target: name, kind: "forward stopped" });
  }

  /** A file was removed before all of it was sent. */
  #gone(file: JournaledFile): void {
    const queued = this.#queue.remove(file.id);
    this.#cursor.forget(file.id);
    if (queued === undefined) return;
    void queued.reader.close();
    const { line } = file;
    const { number, offset } = queued.acked;
    const messages = Math.max(0, (line.messages ?? 0) - number);
    const bytes = Math.max(0, line.bytes - offset);
    if (messages === 0 && !line.hasData) return;
    addTo(this.#dropped, { messages, bytes });
    const { name } = this.#target;
    const text = `${line.name} made room before ${name} had all of it: ${messages} messages ` +
      `(${bytes} bytes) are not forwarded; more --keep-size, or --on-forward-behind keep`;
    this.#files.log.write("warn", text, {
      ...{ path: line.name, target: name, messages, bytes, kind: "forward dropped" },
    });
    // What comes next of it begins with how it is announced, which may have been in there.
    const group = line.group ?? file.id;
    const next = this.#queue.restart(group);
    if (next === undefined) return void this.#gaps.add(group);
    void this.#cursor.note(next.file.id, next.acked);
  }
}
