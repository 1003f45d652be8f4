/**
 * Reads the logged messages of one file, with their numbers, from a place on to the end of what is
 * written by now.
 *
 * @module
 */
import type { FileReadAdapter, ReadableFile } from "../adapters/files/types.ts";
import { reason } from "../base/errors.ts";
import { forgetOldest } from "../base/forget_oldest.ts";
import { fileLimits, NO_LIMITS } from "../encoding/limits.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { KnownEnvelopes } from "../encoding/msgpack/known_envelopes.ts";
import { EnvelopeTemplates } from "../encoding/msgpack/envelope_templates.ts";
import { decodeRrdHeader, RRD_HEADER_BYTES } from "../encoding/rrd_header.ts";
import { decodeMessage, readMessageHeader } from "../encoding/rrd/rrd_message.ts";
import { RrdScanner } from "../encoding/rrd/scanner.ts";
import { WaitingBytes } from "../encoding/rrd/waiting_bytes.ts";
import { storeKey, storeOf, toldApplication } from "../encoding/store_of.ts";
import type { JournaledFile, PartJournal } from "../sinks/file/parts/part_journal.ts";
import { PART_SUFFIX } from "../sinks/file/writer/writer_options.ts";
import { FileUnreadable } from "./_unreadable_now.ts";
import { BEGINNING, type CursorPlace } from "./cursor.ts";
import type { ForwardedMessage } from "./target.ts";

/** How much is read at once, in bytes. */
const BLOCK_BYTES = 512 * 1024;
/** Memory for so much of a long message is taken at once, in bytes; for more, only as it comes. */
const AT_ONCE_BYTES = 4 * 1024 * 1024;
/** How many recordings of a file have their application remembered. */
const MAX_APPLICATIONS = 1000;

/** A message, and the place in the file behind it. */
export interface ReadMessage extends ForwardedMessage {
  readonly behind: CursorPlace;
}

/** The folder and the files of a reader. */
export interface PartReaderOptions {
  /** The folder of the recordings, with the separator at its end. */
  readonly folder: string;
  readonly adapter: FileReadAdapter;
  readonly journal: PartJournal;
  /** Shared by the readers of all files. */
  readonly envelopes?: KnownEnvelopes;
}

/** Reads one file. Only one call may run at a time. */
export class PartReader {
  readonly #file: JournaledFile;
  readonly #options: PartReaderOptions;
  #open: ReadableFile | undefined;
  /** What was read and given to no message yet. */
  #bytes = new WaitingBytes(false);
  #scanner: RrdScanner;
  /** The place in the file of the first byte that the scanner got. */
  #base = 0;
  #isBegun = false;
  /** How far the file was read, and the place behind the last message that was looked at. */
  #read: number;
  #place: CursorPlace;
  /** Messages that were read and not returned yet. */
  #waiting: ReadMessage[] = [];
  #isAtEnd = false;
  #isLive = false;
  /** Damage at which reading ends, once all messages before it were returned. */
  #damage: Error | undefined;
  /** How many messages of any kind are skipped at the beginning of the file. */
  readonly #skipped: number;
  readonly #applications = new Map<string, string>();

  /**
   * @param file which
   * @param place where reading begins
   * @param options where the file is
   */
  constructor(file: JournaledFile, place: CursorPlace, options: PartReaderOptions) {
    this.#file = file;
    this.#options = options;
    this.#scanner = this.#newScanner();
    const hole = file.line.hole?.[0] ?? Infinity;
    // Behind a hole, messages have moved since the place was noted, so the file is read from its
    // beginning.
    const isMoved = place.before > hole;
    this.#place = isMoved ? { ...BEGINNING, isWhole: place.isWhole } : place;
    this.#skipped = isMoved ? hole : 0;
    this.#base = this.#read = this.#place.offset;
    options.journal.recent.reached(file.id, this.#place.offset);
  }

  /** Whether the file is closed, and read to its end. */
  get isAtEnd(): boolean {
    if (this.#waiting.length > 0 || this.#damage !== undefined) return false;
    const { state, size } = this.#file;
    return this.#isAtEnd || (state !== "writing" && state !== "left" && this.#read >= size);
  }

  /** Whether more can be read now. */
  get hasMore(): boolean {
    if (this.#waiting.length > 0 || this.#damage !== undefined) return true;
    return !this.#isAtEnd && this.#read < this.#file.size;
  }

  /** Whether what was read last was still in memory from being written. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** How much is held of a message that is not read to its end, in bytes. */
  get heldBytes(): number {
    return this.#read - this.#base - this.#scanner.offset;
  }

  /** The most memory that a batch takes, in bytes, if neither it nor a message is longer than `mostBytes`. */
  batchBytes(mostBytes: number): number {
    return Math.min(mostBytes + BLOCK_BYTES, Math.max(0, this.#file.size - this.place.offset));
  }

  /** The place behind all messages that were returned, where a later reader goes on. */
  get place(): CursorPlace {
    return this.#waiting.length > 0 ? this.#given : this.#place;
  }

  #given!: CursorPlace;

  /**
   * Reads the next messages.
   *
   * @param maxBytes length of all of them together; a message that is longer is returned alone
   * @param signal ends the reading
   * @param largestBytes longest message that is read
   * @returns the messages; an empty list if there are none now, or a longer one is next
   * @throws {RrdDamage} where the file is damaged; also throws errors of the disk
   */
  async next(
    maxBytes: number,
    signal: AbortSignal,
    largestBytes = Infinity,
  ): Promise<ReadMessage[]> {
    const taken: ReadMessage[] = [];
    let bytes = 0;
    for (;;) {
      while (this.#waiting.length > 0) {
        const { length } = this.#waiting[0]!.msg.encoded.bytes;
        if (taken.length > 0 && bytes + length > maxBytes) return taken;
        const message = this.#waiting.shift()!;
        this.#given = message.behind;
        taken.push(message);
        bytes += length;
      }
      signal.throwIfAborted();
      const damage = taken.length === 0 ? this.#damage : undefined;
      if (damage !== undefined) {
        this.#damage = undefined;
        throw damage;
      }
      if (bytes >= maxBytes || this.#damage !== undefined || !this.hasMore) return taken;
      // Returns now, so that little is held of a long message while those before it are being sent.
      if (this.heldBytes > BLOCK_BYTES && taken.length > 0) return taken;
      if (this.heldBytes > largestBytes) return taken;
      await this.#readOn(largestBytes);
    }
  }

  /** Closes this reader, and returns one of the same file that begins at another place. */
  restarted(place: CursorPlace): PartReader {
    void this.close().catch(() => {}); // it was only read
    return new PartReader(this.#file, place, this.#options);
  }

  /** Closes the file and frees the memory; `next` opens it again. */
  async close(): Promise<void> {
    this.#forget();
    const open = this.#open;
    this.#open = undefined;
    await open?.close();
  }

  /**
   * Forgets what was read and not returned, to read it again. Not done for a file with a hole,
   * which would have to be read from its beginning.
   */
  #forget(): void {
    if (this.#waiting.length === 0 && this.heldBytes === 0) return;
    if (this.#damage !== undefined || this.#isAtEnd || this.#file.line.hole !== undefined) return;
    this.#place = this.place;
    this.#waiting = [];
    this.#bytes = new WaitingBytes(false);
    this.#scanner = this.#newScanner();
    this.#base = this.#read = this.#place.offset;
    this.#isBegun = false;
  }

  #newScanner(): RrdScanner {
    const templates = new EnvelopeTemplates(this.#options.envelopes);
    return new RrdScanner({ ...NO_LIMITS, isLenient: true }, templates, this.#bytes);
  }

  async #readOn(largestBytes: number): Promise<void> {
    const block = await this.#nextBlock(largestBytes);
    this.#read += block.length;
    if (block.length === 0 && this.#file.size < Infinity) {
      throw new Error(`${this.#file.line.name} is shorter than it was`);
    }
    const { items, error } = block.length === 0
      ? this.#scanner.finish()
      : this.#scanner.push(block);
    if (block.length === 0) this.#isAtEnd = true;
    for (const part of items) {
      if (part.kind === "end") this.#isAtEnd = true;
      if (part.kind === "message" && !this.#isAtEnd) {
        this.#take(part.msg, this.#base + part.offset + part.bytes);
      }
    }
    if (error === undefined) return;
    this.#damage = error;
    this.#isAtEnd = true;
  }

  /** Reads the next bytes: those written last are still in memory, all others on the disk. */
  async #nextBlock(largestBytes: number): Promise<Uint8Array> {
    const { id, size } = this.#file;
    const { recent } = this.#options.journal;
    if (!this.#isBegun) await this.#begin();
    const most = size - this.#read;
    const known = recent.read(id, this.#read, Math.min(most, BLOCK_BYTES));
    this.#isLive = known !== undefined;
    if (known !== undefined) return known;
    // A long message is read block by block to where it stays. Memory for more than 4 MiB of it is taken
    // by doubling what is held, for the length that stands before it may be wrong.
    const held = this.#bytes.length;
    const room = Math.max(BLOCK_BYTES, Math.min(largestBytes, AT_ONCE_BYTES) - held, held);
    const block = this.#bytes.room(Math.min(most, room), BLOCK_BYTES).subarray(0, BLOCK_BYTES);
    const length = await this.#readAt(this.#read, block);
    recent.reached(id, this.#read + length);
    return block.subarray(0, length);
  }

  /** Begins behind what was acknowledged, after reading the header of the file. */
  async #begin(): Promise<void> {
    this.#isBegun = true;
    if (this.#read === 0) return;
    const header = new Uint8Array(RRD_HEADER_BYTES);
    await this.#readAt(0, header);
    this.#scanner.push(header);
    this.#base = this.#read - RRD_HEADER_BYTES;
  }

  /**
   * Reads from the file, which is opened if it is not.
   *
   * @throws {FileUnreadable} if that fails because all recordings are away: a drive that goes
   * away while a file of it is open gives errors as a bad spot does
   */
  async #readAt(at: number, into: Uint8Array<ArrayBuffer>): Promise<number> {
    try {
      this.#open ??= await this.#openFile();
      return await this.#open.readAt(at, into);
    } catch (error) {
      if (!await this.#options.journal.isAway()) throw error;
      throw new FileUnreadable(reason(error), { cause: error });
    }
  }

  /** Opens the file under its present name, which may change at any time. */
  async #openFile(): Promise<ReadableFile> {
    const { folder, adapter } = this.#options;
    for (let tries = 0;; tries++) {
      const path = folder + this.#file.line.name;
      const isNamed = this.#file.state === "closed" || tries % 2 === 1;
      try {
        return await adapter.openAt(isNamed ? path : path + PART_SUFFIX);
      } catch (error) {
        if (tries === 3) throw error;
      }
    }
  }

  #take(msg: LogMsg, offset: number): void {
    const { before, number, isWhole } = this.#place;
    const { line: { hole }, repeats } = this.#file;
    const isBehindHole = hole !== undefined && before >= hole[0];
    const repeated = !isWhole && !isBehindHole && repeats.has(before);
    const recording = storeOf(msg);
    const application = this.#applicationOf(msg);
    const jump = hole !== undefined && before === hole[0] ? hole[1] : 0;
    const own = number + jump;
    const behind = { before: before + 1, number: repeated ? own : own + 1, offset, isWhole };
    if (!repeated && before >= this.#skipped) {
      if (this.#waiting.length === 0) this.#given = this.#place;
      this.#waiting.push({ number: own, msg, application, recording: recording?.id ?? "", behind });
    }
    this.#place = behind;
  }

  #applicationOf(msg: LogMsg): string {
    const store = storeOf(msg);
    const told = toldApplication(msg);
    if (store === undefined) return told ?? "";
    const key = storeKey(store);
    const known = this.#applications.get(key);
    const application = told ?? known ?? this.#announced(key) ?? "";
    if (application !== known) {
      this.#applications.set(key, application);
      forgetOldest(this.#applications, MAX_APPLICATIONS);
    }
    return application;
  }

  /** The application of a recording that an earlier file or run announced. */
  #announced(key: string): string | undefined {
    const announced = this.#options.journal.announcementOf(key);
    if (announced === undefined) return undefined;
    try {
      const header = decodeRrdHeader(announced.header);
      const { message } = announced;
      const head = readMessageHeader(header, message, 0, Infinity);
      return toldApplication(decodeMessage(header, head, message, 0, fileLimits(NO_LIMITS)));
    } catch {
      return undefined; // its messages are sent without an application
    }
  }
}
