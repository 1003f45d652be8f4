/**
 * Sends closed files to one target, whole.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import { reason } from "../base/errors.ts";
import { addTo, newTally } from "../base/tally.ts";
import type { FollowedFiles } from "../sinks/file/parts/follower.ts";
import type {
  JournaledFile,
  JournalEvent,
  JournalReader,
} from "../sinks/file/parts/part_journal.ts";
import type { ForwardStats } from "./counts.ts";
import { type Cursor, DONE } from "./cursor.ts";
import type { ForwarderOptions } from "./forwarder.ts";
import { Outage } from "./outage.ts";
import { RateLimit } from "./_rate_limit.ts";
import { type FileTarget, TargetRefused } from "./target.ts";

interface Waiting {
  readonly file: JournaledFile;
  /** Since when it is known, in milliseconds of the clock. */
  readonly since: number;
  isUnderWay: boolean;
}

/** Forwards closed files to one target, in the order in which they were begun. */
export class FileForwarder implements JournalReader {
  readonly #target: FileTarget;
  readonly #files: FollowedFiles;
  readonly #cursor: Cursor;
  readonly #outage: Outage;
  readonly #rate: RateLimit;
  readonly #date: Clock["date"];
  readonly #stopping = new AbortController();
  readonly #waiting = new Map<string, Waiting>();
  readonly #idle: (() => void)[] = [];
  #underWay = 0;
  #isStopped = false;
  readonly #sent = newTally();
  readonly #refused = newTally();
  readonly #dropped = newTally();
  #lastAckMs: number | undefined;

  /** As {@linkcode Forwarder}. */
  constructor(
    target: FileTarget,
    files: FollowedFiles,
    cursor: Cursor,
    options: ForwarderOptions = {},
  ) {
    const { random = Math.random, date = SYSTEM_CLOCK.date, maxBytesPerSec = Infinity } = options;
    const { log, now, timer } = files;
    this.#target = target;
    this.#files = files;
    this.#cursor = cursor;
    this.#date = date;
    this.#outage = new Outage({ name: target.name, log, now, random, timer });
    this.#rate = new RateLimit(maxBytesPerSec, now, timer);
  }

  /** How it does. */
  get stats(): ForwardStats {
    const { since, error } = this.#outage;
    const now = this.#files.now();
    let [lagBytes, oldest] = [0, now];
    for (const { file, since } of this.#waiting.values()) {
      lagBytes += file.size < Infinity ? file.size : file.line.bytes;
      oldest = Math.min(oldest, since);
    }
    return {
      target: this.#target.name,
      sent: { ...this.#sent },
      refused: { ...this.#refused },
      dropped: { ...this.#dropped },
      lagBytes,
      lagSec: (now - oldest) / 1000,
      ...(this.#lastAckMs === undefined ? {} : { lastAckMs: this.#lastAckMs }),
      outageSec: since === undefined ? 0 : (now - since) / 1000,
      ...(error === undefined ? {} : { error }),
      isStopped: this.#isStopped,
    };
  }

  changed(file: JournaledFile, event: JournalEvent): void {
    if (event === "begun") {
      if (this.#cursor.placeOf(file.id) === DONE) return this.#files.journal.settle(this, file.id);
      this.#waiting.set(file.id, { file, since: this.#files.now(), isUnderWay: false });
    }
    if (event === "gone") this.#gone(file);
    // The first files are known before anything else is ready.
    if (event === "ready" || event === "begun") queueMicrotask(() => this.#pump());
  }

  /** Sends what it can until the signal, and ends. Never rejects. */
  async close(signal: AbortSignal): Promise<void> {
    const stop = () => this.#stopping.abort(new Error("the program ends"));
    signal.addEventListener("abort", stop);
    if (!signal.aborted && this.#outage.since === undefined && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve());
        this.#idle.push(resolve);
        this.#pump();
      });
    }
    stop();
    this.#outage.close();
    while (this.#underWay > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    await this.#target.close().catch(() => {}); // nothing is asked of it any more
    await this.#cursor.close();
  }

  #pump(): void {
    for (const waiting of this.#waiting.values()) {
      if (this.#isStopped || this.#stopping.signal.aborted) break;
      if (this.#underWay >= this.#target.maxUnderWay) break;
      if (waiting.isUnderWay || !waiting.file.isReady) continue;
      waiting.isUnderWay = true;
      this.#underWay++;
      void this.#send(waiting.file).finally(() => {
        this.#underWay--;
        this.#pump();
      });
    }
    if (this.#underWay === 0) { for (const task of this.#idle.splice(0)) task(); }
  }

  async #send(file: JournaledFile): Promise<void> {
    const { folder, log } = this.#files;
    const { signal } = this.#stopping;
    const { name, bytes, messages = 0 } = file.line;
    const closed = { id: file.id, path: folder + name, name, bytes };
    const { name: target } = this.#target;
    try {
      for (;;) {
        await this.#rate.take(bytes, signal);
        await this.#outage.turn(signal);
        if (file.state === "gone") return this.#outage.gaveUp();
        try {
          await this.#target.sendFile(closed, signal);
          this.#outage.worked();
          addTo(this.#sent, { messages, bytes });
          this.#lastAckMs = this.#date();
          break;
        } catch (error) {
          if (signal.aborted) return;
          if (!(error instanceof TargetRefused)) {
            this.#outage.failed(error);
            continue;
          }
          this.#outage.gaveUp();
          if (error.scope === "target") {
            this.#isStopped = true;
            const text = `Nothing is forwarded to ${target} any more: ${reason(error)}`;
            return log.write("error", text, { target, kind: "forward stopped" });
          }
          addTo(this.#refused, { messages, bytes });
          const text = `${name} is not forwarded to ${target}: ${reason(error)}`;
          log.write("warn", text, { target, path: name, kind: "forward refused" });
          break;
        }
      }
      this.#waiting.delete(file.id);
      await this.#cursor.note(file.id, DONE);
      this.#files.journal.settle(this, file.id);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }

  #gone(file: JournaledFile): void {
    const waited = this.#waiting.delete(file.id);
    this.#cursor.forget(file.id);
    const { line: { name, bytes, messages = 0, hasData } } = file;
    if (!waited || !hasData) return;
    addTo(this.#dropped, { messages, bytes });
    const { name: target } = this.#target;
    const text =
      `${name} made room before ${target} had it: ${messages} messages (${bytes} bytes) ` +
      "are not forwarded; more --keep-size, or --on-forward-behind keep";
    this.#files.log.write("warn", text, {
      ...{ path: name, target, messages, bytes, kind: "forward dropped" },
    });
  }
}
