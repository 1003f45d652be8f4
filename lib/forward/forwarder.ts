/**
 * Sends the messages of files to one target: those of a file in order, files of one recording one
 * after the other, other files side by side.
 *
 * @module
 */
import type { Tally } from "../base/tally.ts";
import { KnownEnvelopes } from "../encoding/msgpack/known_envelopes.ts";
import type { FollowedFiles } from "../sinks/file/parts/follower.ts";
import type {
  JournaledFile,
  JournalEvent,
  JournalReader,
} from "../sinks/file/parts/part_journal.ts";
import { TargetBackoff } from "./backoff.ts";
import type { ForwardStats } from "./counts.ts";
import { BEGINNING, type Cursor, DONE } from "./cursor.ts";
import { Delivery, type ForwarderOptions } from "./delivery.ts";
import { FileQueue, fullBytes, limitedBatches, type QueuedFile } from "./_file_queue.ts";
import { HeldBytes } from "./_held_bytes.ts";
import { PartReader, type PartReaderOptions, type ReadMessage } from "./part_reader.ts";
import { type BatchLimits, type MessageTarget, TargetRefused } from "./target.ts";
import { isUnreadableNow } from "./_unreadable_now.ts";

const HELD_BYTES = 64 * 1024 * 1024;

/** Forwards messages to one target. */
export class Forwarder implements JournalReader {
  readonly #target: MessageTarget;
  readonly #limits: BatchLimits;
  readonly #files: FollowedFiles;
  /** What readers of files need. */
  readonly #reading: PartReaderOptions;
  readonly #cursor: Cursor;
  readonly #queue: FileQueue;
  readonly #delivery: Delivery;
  readonly #held: HeldBytes;
  readonly #idle: (() => void)[] = [];
  #underWay = 0;
  /** Files among them that can't be read now: these keep no others waiting. */
  #unreadable = 0;
  /** Groups of files of which some messages were removed before they were sent. */
  readonly #gaps = new Set<string>();
  readonly #random: () => number;
  /** How often each file that can't be read now was tried, by id. */
  readonly #unread = new Map<string, TargetBackoff>();

  /**
   * @param target where to send
   * @param files the files that are written, and their folder
   * @param cursor of this target
   * @param options limits, randomness
   */
  constructor(
    target: MessageTarget,
    files: FollowedFiles,
    cursor: Cursor,
    options: ForwarderOptions = {},
  ) {
    const { now, timer } = files;
    this.#target = target;
    this.#files = files;
    const { folder, adapter, journal } = files;
    this.#reading = { folder, adapter, journal, envelopes: new KnownEnvelopes() };
    this.#cursor = cursor;
    this.#random = options.random ?? Math.random;
    this.#delivery = new Delivery(target.name, files, cursor, options);
    const { maxHeldBytes = HELD_BYTES, maxBytesPerSec = Infinity } = options;
    this.#limits = limitedBatches(target.limits, maxHeldBytes, maxBytesPerSec);
    this.#held = new HeldBytes(maxHeldBytes, fullBytes(target.limits));
    this.#queue = new FileQueue(this.#limits, { now, timer, onReady: () => this.#pump() });
    void this.#delivery.check(target);
  }

  /** Counts and state of the target. */
  get stats(): ForwardStats {
    return this.#delivery.stats(this.#queue.lag());
  }

  changed(file: JournaledFile, event: JournalEvent): void {
    const { journal } = this.#files;
    switch (event) {
      case "begun": {
        const place = this.#cursor.placeOf(file.id);
        if (place === DONE) return journal.finished(this, file.id);
        const isWhole = place.isWhole || this.#gaps.delete(file.line.group ?? file.id);
        const from = isWhole && place === BEGINNING ? { ...place, isWhole } : place;
        return this.#queue.add(file, from, new PartReader(file, from, this.#reading));
      }
      case "skipped":
        return void this.#queue.remove(file.id);
      case "gone":
        return this.#gone(file);
      default:
        return this.#queue.changed(file.id);
    }
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
      this.#queue.leaveAll(new Error("the program ends"));
    };
    signal.addEventListener("abort", stop);
    this.#queue.hurry();
    this.#pump();
    // A target that can't be reached now will hardly be reached before the end.
    if (!signal.aborted && this.#delivery.isWorking) {
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve());
        this.#onIdle(() => resolve());
      });
    }
    stop();
    await new Promise<void>((resolve) => this.#underWay === 0 ? resolve() : this.#onIdle(resolve));
    this.#queue.close();
    await this.#delivery.closeTarget(this.#target);
    await this.#cursor.close();
  }

  #onIdle(task: () => void): void {
    this.#idle.push(task);
    this.#tellIdle();
  }

  #tellIdle(): void {
    const { isOver } = this.#delivery;
    // A file that can't be read now will hardly be read before the end, so nobody waits for it.
    const working = this.#underWay - (isOver ? 0 : this.#unreadable);
    if (working > 0 || (this.#queue.hasReady && !isOver)) return;
    for (const task of this.#idle.splice(0)) task();
  }

  #pump(): void {
    const { maxUnderWay } = this.#limits;
    while (!this.#delivery.isOver && this.#underWay - this.#unreadable < maxUnderWay) {
      const queued = this.#queue.take();
      if (queued === undefined) break;
      this.#underWay++;
      void this.#step(queued).finally(() => {
        this.#underWay--;
        if (queued.file.state === "gone") this.#forget(queued.file.id);
        this.#queue.release(queued);
        this.#pump();
        this.#tellIdle();
      });
    }
    this.#tellIdle();
  }

  /** Sends one batch of a file, and logs errors of reading it. */
  async #step(queued: QueuedFile): Promise<void> {
    const { stopping: { signal } } = this.#delivery;
    const { file, reader, left } = queued;
    const { largeBytes } = this.#held;
    try {
      const isSent = await this.#held.batch(
        reader.batchBytes(Math.max(largeBytes, fullBytes(this.#limits, queued.recordings))),
        left.signal,
        async () => await this.#pass(queued, largeBytes) || await this.#passLarge(queued),
      );
      this.#unread.delete(file.id);
      queued.acked = reader.place;
      if (reader.isAtEnd) return await this.#done(queued);
      // The next batch does not wait for the cursor to be written: after a crash this one would be
      // sent once more.
      if (isSent) void this.#cursor.note(file.id, reader.place);
    } catch (error) {
      if (signal.aborted || file.state === "gone") return;
      if (error instanceof TargetRefused && error.scope === "target") {
        return this.#delivery.stop(error);
      }
      if (isUnreadableNow(error)) return await this.#readAgain(queued, error);
      this.#delivery.unreadable(file.line.name, unsent(queued), error);
      await this.#done(queued);
    }
  }

  /** Waits a while, and has a file read once more that can't be read now. */
  async #readAgain(queued: QueuedFile, error: unknown): Promise<void> {
    const { file: { id, line: { name } } } = queued;
    const backoff = this.#unread.get(id) ?? new TargetBackoff(this.#random);
    this.#unread.set(id, backoff);
    this.#unreadable++;
    this.#pump();
    await this.#delivery.waitUntilReadable(name, backoff, error, queued.left.signal);
    this.#unreadable--;
    this.#queue.readAgain(queued);
  }

  /** Reads and sends a batch; returns whether there was one. */
  async #pass(queued: QueuedFile, largestBytes: number): Promise<boolean> {
    const { reader, left } = queued;
    const maxBytes = fullBytes(this.#limits, queued.recordings);
    const messages = await reader.next(maxBytes, left.signal, largestBytes);
    if (messages.length === 0) return false;
    queued.recordings = new Set(messages.map(({ recording }) => recording)).size;
    await this.#send(queued, messages);
    return true;
  }

  /** Reads and sends the next message if it is large: one at a time over all files. */
  async #passLarge(queued: QueuedFile): Promise<boolean> {
    if (queued.reader.heldBytes <= this.#held.largeBytes) return false;
    return await this.#held.large(queued.left.signal, () => this.#pass(queued, Infinity));
  }

  /**
   * Sends messages until they are accepted. A batch that is refused is split until the refused
   * messages are found.
   */
  async #send(queued: QueuedFile, messages: readonly ReadMessage[]): Promise<void> {
    const bytes = messages.reduce((sum, { msg }) => sum + msg.encoded.bytes.length, 0);
    const { file: { id: file }, since, reader: { isLive } } = queued;
    const weight = { messages: messages.length, bytes, isLive };
    const { now } = this.#files;
    const refusal = await this.#delivery.deliver(weight, (signal) => {
      const waited = since === undefined ? {} : { waitedMs: Math.max(0, now() - since) };
      const onPiece = () => this.#delivery.worked();
      return this.#target.send({ file, messages, bytes, ...waited, onPiece }, signal);
    }, queued.left.signal);
    if (refusal === undefined) return;
    if (refusal.scope === "target") throw refusal;
    if (messages.length === 1) {
      return this.#delivery.refused(weight, refusal);
    }
    const half = messages.length >> 1;
    await this.#send(queued, messages.slice(0, half));
    await this.#send(queued, messages.slice(half));
  }

  async #done({ file, reader }: QueuedFile): Promise<void> {
    await reader.close();
    this.#queue.remove(file.id);
    await this.#cursor.note(file.id, DONE);
    this.#files.journal.finished(this, file.id);
  }

  /**
   * Handles that a file was removed before all of it was sent. While something of it is under way,
   * that is awaited: it may still be accepted, and nothing of the recording may overtake it.
   */
  #gone({ id }: JournaledFile): void {
    const isUnderWay = this.#queue.leave(id, new Error("it was removed"));
    if (!isUnderWay) this.#forget(id);
  }

  #forget(id: string): void {
    this.#queue.remove(id, (queued) => this.#dropped(queued));
    this.#unread.delete(id);
    this.#cursor.forget(id);
  }

  /** Counts what of a removed file was not sent, before the next file of its group may be taken. */
  #dropped(queued: QueuedFile): void {
    const { file: { id, line }, reader } = queued;
    void reader.close();
    const { messages, bytes } = unsent(queued);
    if (messages === 0 && !line.hasData) return;
    // Of one in which nothing whole was found after a crash, nothing is missing.
    if (messages + bytes > 0) this.#delivery.dropped(line.name, { messages, bytes }, "all of it");
    // The recording may have been announced in that file, so its next file is sent from its very
    // beginning, which repeats that.
    const group = line.group ?? id;
    const next = this.#queue.restart(group);
    if (next === undefined) return void this.#gaps.add(group);
    void this.#cursor.note(next.file.id, next.acked);
  }
}

/** How much of a file was not acknowledged, as far as its index says. */
function unsent({ file: { line, repeats }, acked }: QueuedFile): Tally {
  const { number, before, offset, isWhole } = acked;
  // Where all of a file is sent, what it repeats has numbers, too.
  const sent = isWhole ? number - repeats.below(before) : number;
  return {
    messages: Math.max(0, (line.messages ?? 0) - sent),
    bytes: Math.max(0, line.bytes - offset),
  };
}
