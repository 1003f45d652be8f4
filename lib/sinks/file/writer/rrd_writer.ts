/**
 * Writes one `.rrd` file, called `NAME.part` until it is closed: in the background, with small
 * messages gathered. When the disk fails the file is cut back to what is certain to be whole.
 *
 * @module
 */
import type { WritableFile } from "../../../adapters/files/types.ts";
import { endMarker, endsWithMarker } from "../../../encoding/rrd/rrd_encode.ts";
import { type RrdHeader, rrdVersionText } from "../../../encoding/rrd_header.ts";
import { MESSAGE_HEADER_BYTES } from "../../../encoding/rrd/rrd_message.ts";
import { FileGone, FileTooLarge } from "../../../base/errors.ts";
import { compressedHeader, isCompressible } from "../../../encoding/rrd/recompress.ts";
import { extended, type Extent, NOTHING } from "./_extent.ts";
import { alsoFailed, checkThere, giveName } from "./_file_there.ts";
import { addTo, type Tally } from "../../../base/tally.ts";
import { FileEnd } from "./file_end.ts";
import { type Came, fitting, messagesOf } from "./_outgrown.ts";
import { type Piece, Pieces } from "./_pieces.ts";
import type { RrdTarget, RrdWriterOptions } from "./writer_options.ts";
import { EMPTY_BYTES, EMPTY_HEADER } from "./writer_options.ts";

/** How a file's header is counted. */
const HEADER_PIECE = { isRaw: false, modern: false, counts: false, isHeader: true };

/** Writes messages of one encoding. */
export class RrdWriter {
  /** Header of the first message. */
  header: RrdHeader | undefined;
  /** Set once the disk failed: nothing is taken any more. */
  failure: unknown;
  /** Called once, when the disk fails, with what is lost. */
  onFailed: (lost: Tally) => void = () => {};
  /** Called once, when the file can't grow, with the messages that it did not take; `close` does the rest. */
  onFull: (rest: Came[]) => void = () => {};
  /** Called when something was written. */
  onWritten: () => void = () => {};
  /** Its name once it is closed. */
  readonly path: string;
  /** Whether it has that name now. */
  renamed = false;
  /** Whether anything but announcements and blueprints was put into it. */
  hasData = false;
  /** Once it failed: resolves when the file is as good as it gets. */
  mended: Promise<void> | undefined;
  /** Bytes of `size` that are repeated from earlier files. */
  repeatedBytes = 0;
  /** The end of the file. */
  readonly end: FileEnd;
  readonly #pieces: Pieces;
  /** The file up to the last whole message that was written. */
  whole = NOTHING;
  /** The file up to what the last sync has put on the disk. */
  #durable = NOTHING;
  #pumping: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  /** Set when the rest is up to `close`. */
  #isEnding = false;
  readonly #isDevice: boolean;
  /** Header of the messages that are not compressed yet. */
  #rawHeader: RrdHeader | undefined;
  readonly #file: WritableFile;
  readonly #sealed = Promise.withResolvers<void>();
  /** Resolves when all of it is on the disk, or the disk failed: a next file may begin. */
  readonly sealed: Promise<void> = this.#sealed.promise;

  constructor(readonly target: RrdTarget, readonly options: RrdWriterOptions) {
    this.path = target.path;
    this.#isDevice = target.path === target.written;
    this.#file = target.file;
    this.#pieces = new Pieces(options.budget);
    this.end = new FileEnd(options.indexer, options.sync);
  }

  /** Messages that are in the file, without those that only let it be opened alone. */
  get written(): Tally {
    return { messages: this.whole.messages, bytes: this.whole.bytes };
  }

  /** Length with what waits and the end marker; too high before all is compressed. */
  get size(): number {
    const { size, modern } = this.whole;
    const { waitingBytes } = this.#pieces;
    const isMarked = (modern && !this.end.isUnmarked) || waitingBytes > 0;
    // Computed, for it is asked before each message.
    return size + waitingBytes + (isMarked ? MESSAGE_HEADER_BYTES[this.header!.serializer] : 0);
  }

  /** Whether anything was put into it that counts. */
  get hasMessages(): boolean {
    return this.whole.messages > 0 || this.#pieces.waitingMessages > 0;
  }

  /** Whether `size` may be too high now. */
  get isSizeOpen(): boolean {
    return this.options.compressor !== undefined && this.#pieces.waitingBytes > 0;
  }

  /**
   * Takes a message, to be written after the next `flush`.
   *
   * @param header it came under
   * @param parts of the message, with its own header: one, which if it is large must not change
   * until it is written, or two, which are copied
   * @param counts `false` for one that is in an earlier part already
   */
  add(header: RrdHeader, [bytes, rest]: readonly Uint8Array[], counts = true): void {
    const isRaw = this.options.compressor !== undefined && isCompressible(header);
    if (this.header === undefined) {
      this.#rawHeader = header;
      this.header = isRaw ? compressedHeader(header) : header;
      this.#pieces.add(this.header.bytes, HEADER_PIECE);
    }
    if (!counts) this.repeatedBytes += bytes!.length + (rest?.length ?? 0);
    this.#pieces.add(bytes!, { isRaw, modern: endsWithMarker(header), counts }, rest);
  }

  /** Begins to write what was gathered; returns whether there was as much as `minBytes`. */
  flush(minBytes = 1): boolean {
    if (this.#pieces.waitingBytes < minBytes || this.failure !== undefined) return false;
    if (!this.#pieces.isEmpty) this.#pumping ??= this.#pump();
    return true;
  }

  /** Resolves when all that was gathered is written, or the disk failed. */
  async drain(): Promise<void> {
    for (this.flush(); this.#pumping !== undefined; this.flush()) await this.#pumping;
  }

  /** Gives up what waits and is not being written; returns how much that was. */
  cut(): Tally {
    return this.#pieces.clear(false);
  }

  /** Whether all that was added is on the disk, or can't be. */
  get isSynced(): boolean {
    if (this.#isDevice || this.#isOver) return true;
    return this.whole === this.#durable && this.#pieces.waitingBytes === 0;
  }

  /** Puts what was gathered, if that is little, and what was written on the disk. Never rejects. */
  sync(): Promise<void> {
    if (this.#isEnding && this.failure === undefined) return this.sealed;
    if (this.isSynced) return this.#syncing;
    this.flush();
    return this.#syncing = this.#syncing.then(async () => {
      if (this.#pieces.waitingBytes > 0) await this.#pieces.written;
      const extent = this.whole;
      if (extent === this.#durable || this.#isOver) return;
      try {
        await this.#file.sync();
        await this.#checkThere();
        this.#durable = extent;
      } catch (error) {
        // After a failed sync systems drop what they could not write.
        this.#fail(error, this.#durable);
      }
    });
  }

  /**
   * Writes what waits and the end marker, closes the file and gives it its name; one without a
   * message becomes an empty recording.
   *
   * @throws whatever the disk says, after the file was mended as far as that goes
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close().finally(() => this.#sealed.resolve());
  }

  get #isOver(): boolean {
    return this.#isEnding || this.failure !== undefined;
  }

  async #close(): Promise<void> {
    await this.drain();
    this.target.note?.ended();
    this.#isEnding = true;
    await this.#syncing;
    if (this.failure === undefined) await this.#end();
    if (this.failure === undefined) return;
    await this.mended;
    throw this.failure;
  }

  async #end(): Promise<void> {
    let sure = this.whole;
    const { header = EMPTY_HEADER, target: { written } } = this;
    const { modern, size } = this.whole;
    try {
      if (this.header === undefined) await this.#write(header.bytes);
      if (this.header === undefined || modern) {
        await this.end.mark(this.#file, header, size, (bytes) => this.#write(bytes));
      }
      sure = this.#durable;
      if (this.options.sync && !this.#isDevice) await this.#file.sync();
      await this.#checkThere();
      this.#sealed.resolve();
      sure = this.whole;
      if (!this.#isDevice) await this.end.write(this.#file, written, header, size);
      await this.#checkThere();
    } catch (error) {
      return this.#fail(error, sure);
    }
    await this.#noteClosing(false);
    const closed = await this.#try("it could not be closed", () => this.#file.close());
    const named = await this.#try("it could not be renamed", () => this.#rename());
    if (!closed || !named) this.onFailed({ messages: 0, bytes: 0 });
  }

  async #pump(): Promise<void> {
    await Promise.resolve();
    for (let piece = this.#pieces.take(); piece !== undefined; piece = this.#pieces.take()) {
      const { data, isRaw, bytes, repeats } = piece;
      let written = data;
      try {
        if (isRaw) written = await this.options.compressor!.compress(data);
        // Noted first: by this, readers of the file can tell which messages are repeated.
        if (repeats.length > 0) await this.target.note?.repeatsAt(this.whole.total, repeats);
        if (this.failure !== undefined) break;
        await (this.#writing = this.#write(written, this.options.date()));
        if (this.failure !== undefined) break;
        this.#reach(extended(this.whole, written.length, piece));
        const shrunk = 1 - written.length / data.length;
        this.repeatedBytes -= Math.round((data.length - bytes) * shrunk);
      } catch (error) {
        if (error instanceof FileTooLarge) await this.#outgrow(piece, written, error);
        else this.#fail(error, this.whole);
        if (this.failure !== undefined) break;
        continue;
      }
      this.#pieces.done();
      this.onWritten();
    }
    this.#pumping = undefined;
  }

  /** Keeps the messages that still fit, and hands all others to `onFull`. */
  async #outgrow(piece: Piece, written: Uint8Array, error: FileTooLarge): Promise<void> {
    const under = ({ isRaw }: Piece) => isRaw ? this.#rawHeader! : this.header!;
    const isFirst = this.whole.size === 0;
    const fits = fitting(piece, under(piece), written, this.header!, error.writtenBytes, isFirst);
    try {
      // Not even the header fits.
      if (isFirst && fits.size === 0) throw error;
      await this.#file.truncate(this.whole.size + fits.size);
    } catch (error) {
      return this.#fail(error, this.whole);
    }
    this.target.note?.wrote(written.subarray(0, fits.size), this.options.date());
    this.#reach(extended(this.whole, fits.size, { ...fits, modern: piece.modern }));
    if (piece.repeats.length > 0) await this.target.note?.repeatsAt(this.whole.total, []);
    const behind = this.#pieces.waiting.flatMap((more) => messagesOf(more, under(more)));
    this.#pieces.clear(true);
    this.#pieces.releaseWritten();
    this.onFull([...fits.rest, ...behind]);
  }

  #fail(error: unknown, before: Extent): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    const sure = error instanceof FileGone ? NOTHING : before;
    const lost = { ...this.#pieces.clear(true) };
    addTo(lost, this.whole);
    addTo(lost, sure, -1);
    this.#reach(sure);
    this.target.note?.ended();
    this.mended = this.#mend();
    this.onFailed(lost);
  }

  /** Tells readers behind the writer how far they may read. */
  #reach(extent: Extent): void {
    this.whole = extent;
    this.target.note?.reached(extent.size, this.options.budget.gatherMs);
  }

  /** Cuts and ends the file after a failure: a full disk often takes the few bytes of the end. */
  async #mend(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    this.#pieces.releaseWritten();
    const close = () => this.#try("it could not be closed", () => this.#file.close());
    // The file may have another name now, and another file may have its name: both are left alone.
    if (this.failure instanceof FileGone) {
      await close();
      return await this.target.note?.dropped();
    }
    const { size, modern } = this.whole;
    const whole = await this.#try("its end could not be mended", async () => {
      await this.#file.truncate(size);
      if (modern) await this.#file.write(endMarker(this.header!));
    });
    await this.#try("it could not be synced", async () => {
      if (this.options.sync && size > 0 && !this.#isDevice) await this.#file.sync();
    });
    const there = await this.#try("it could not be kept", () => this.#checkThere());
    await close();
    await this.#try("it could not be renamed", async () => {
      if (this.#isDevice || !there) return;
      // A file without a message would only be in the way of the next try.
      if (size === 0) {
        await this.options.adapter.remove(this.target.written);
        await this.target.note?.dropped();
      } // With a torn end it keeps its name, so that the next start mends it.
      else if (whole) {
        await this.#noteClosing(true);
        await this.#rename();
      }
    });
  }

  async #write(bytes: Uint8Array, at?: number): Promise<void> {
    await this.#file.write(bytes);
    this.target.note?.wrote(bytes, at);
  }

  /** Notes that the file is whole before it gets its name: the next start may do that. */
  async #noteClosing(isCut: boolean): Promise<void> {
    const { header = EMPTY_HEADER, hasData, target: { note } } = this;
    const bytes = this.header === undefined ? EMPTY_BYTES : this.size;
    const sdk = rrdVersionText(header.version);
    const { messages } = this.whole;
    const facts = { hasData, messages, sdk, ...this.end.facts(header, bytes) };
    await note?.closing(facts, isCut);
  }

  /** Checks that the file is still there: a file of its name may be somebody else's by now. */
  async #checkThere(): Promise<void> {
    if (!this.#isDevice) await checkThere(this.target.written, this.options.adapter, this.#file);
  }

  async #rename(): Promise<void> {
    if (this.#isDevice) return;
    await giveName(this.target, this.options);
    this.renamed = true;
    await this.options.folder.sync();
  }

  /** Runs an action; if it throws, that is added to the failure. */
  async #try(what: string, action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.failure = this.failure === undefined ? error : alsoFailed(this.failure, what, error);
      return false;
    }
  }
}
