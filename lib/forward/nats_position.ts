/**
 * A file beside the recordings that says how far a NATS stream was received. It is written after
 * the messages are on the disk, so that a program that was killed goes on from there, and saves
 * nothing twice.
 *
 * @module
 */
import type { WritableFile } from "../adapters/files/types.ts";
import { takeOverPlace } from "../adapters/files/in_place.ts";
import { createAnew, isFileThere } from "../adapters/files/only_files.ts";
import { reason } from "../base/errors.ts";
import { storeOf } from "../encoding/store_of.ts";
import type { NatsNote } from "../server/nats_note.ts";
import type { FileFollower, FollowedFiles } from "../sinks/file/parts/follower.ts";
import { FolderSync } from "../sinks/file/parts/folder_sync.ts";
import type { JournaledFile, JournalReader } from "../sinks/file/parts/part_journal.ts";
import type { RrdFileSink } from "../sinks/file/rrd_file.ts";
import { changedLine, parsePosition, type PositionFile, positionText } from "./_position_file.ts";
import { BEGINNING } from "./cursor.ts";
import { PartReader } from "./part_reader.ts";

/** Follows the name of the pattern in the name of the file. */
const SUFFIX = ".from-nats.json";

/**
 * Most bytes of a file that is read: a real one has some kilobytes, and 100 bytes for each
 * recording of the last days.
 */
const MAX_BYTES = 256 * 1024 * 1024;

/** Up to at least so many bytes are added to the file before it is written whole again. */
const LEAST_ADDED_BYTES = 256 * 1024;

/** How much is read at once of the messages that were saved after the last note, in bytes. */
const READ_BYTES = 4 * 1024 * 1024;

/** Where a start goes on from. */
export interface NatsStart {
  /** Absent at the first start. */
  readonly note: NatsNote | undefined;
  /** How many messages of each recording were saved after the note was written. */
  readonly skip: ReadonlyMap<string, number>;
}

/** Keeps the position of a NATS feed beside the files of a file sink. */
export class NatsPosition implements FileFollower, JournalReader {
  readonly name = "the position in NATS";
  #files: FollowedFiles | undefined;
  #names: FolderSync | undefined;
  #position: PositionFile | undefined;
  /** The files that are there, in the order in which they were begun. */
  readonly #begun = new Set<string>();
  /** The last of them; `null` if there is none. */
  #last: string | null = null;
  #noting: Promise<void> | undefined;
  /** Where changes are added, once it was written whole. */
  #file: WritableFile | undefined;
  /** How long it was then, and what was added, in bytes. */
  #bytes = { whole: 0, added: 0 };
  #created: string | undefined;
  #noted: string | undefined;
  /**
   * Gives the note to write at the end, once all files are closed; `undefined` if not all that was
   * received is in them.
   */
  onClosed: () => NatsNote | undefined = () => undefined;

  async open(files: FollowedFiles): Promise<void> {
    this.#files = files;
    this.#names = new FolderSync(files.folder, files.adapter, true, files.log);
    this.#position = await this.#read(files);
    files.journal.join(this);
  }

  changed({ id }: JournaledFile, event: string): void {
    if (event === "gone") return this.removed(id);
    if (event !== "begun") return;
    this.#begun.add(id);
    this.#last = id;
  }

  removed(id: string): void {
    this.#begun.delete(id);
    if (id !== this.#last) return;
    // A start that does not find the last one could not tell which files were begun behind it.
    this.#last = null;
    for (const one of this.#begun) this.#last = one;
  }

  /**
   * Returns where to go on. To be called once the files of an earlier run are recovered.
   *
   * @param signal ends the reading of files
   */
  async start(signal: AbortSignal): Promise<NatsStart> {
    const { journal } = this.#files!;
    const position = this.#position;
    const skip = new Map(position?.beyond);
    if (position !== undefined) {
      const open = new Map(position.open.map((place) => [place.id, place]));
      let isNewer = position.last === null;
      for (const file of journal.files) {
        const place = open.get(file.id) ?? (isNewer ? BEGINNING : undefined);
        isNewer ||= file.id === position.last;
        if (place === undefined || file.state === "gone") continue;
        await this.#count(file, { ...BEGINNING, ...place }, skip, signal);
      }
    }
    for (const file of [...journal.files]) journal.finished(this, file.id);
    return { note: position?.note, skip };
  }

  /**
   * Writes the position of the feed, once all that was received before this call is on the disk.
   * Writes nothing if the file says so already.
   *
   * @param note the present position of the feed
   * @param sink the sink that all of it was written to before this call
   * @param whole gives the same position where `note` has what has changed alone: tens of thousands of
   * recordings are not written each time
   */
  note(
    note: NatsNote,
    sink: Pick<RrdFileSink, "mark">,
    whole?: () => NatsNote,
  ): Promise<void> {
    const counts = note.beyond.map(([, count]) => count);
    const key = `${note.created} ${note.seq} ${counts} ${this.#last}`;
    if (key === this.#noted || this.#noting !== undefined) return this.#noting ?? Promise.resolve();
    const { whole: least, added } = this.#bytes;
    const isAdded = whole !== undefined && this.#file !== undefined &&
      added < Math.max(least, LEAST_ADDED_BYTES) && note.created === this.#created;
    const written = isAdded ? note : whole?.() ?? note;
    this.#created = note.created;
    const noting = (async () => {
      let last: string | null = null;
      // The newest file must be read when the mark is set, since files may be begun before that and
      // after it.
      const open = await sink.mark(() => last = this.#last);
      const position = { note: written, beyond: written.beyond, last, open };
      if (isAdded) await this.#add(changedLine(position));
      else await this.#write(positionText(position));
      this.#noted = key;
      const { journal } = this.#files!;
      for (const { id, state } of [...journal.files]) {
        if (state === "closed") journal.finished(this, id);
      }
    })().catch(async (error) => {
      // What has changed is not in the file: it is written whole next time.
      await this.#leave();
      throw error;
    }).finally(() => this.#noting = undefined);
    return this.#noting = noting;
  }

  /** Whether a note is being written. */
  get isNoting(): boolean {
    return this.#noting !== undefined;
  }

  /**
   * Waits for a note that is being written. Files that were not noted are counted at the next
   * start.
   */
  async close(): Promise<void> {
    await this.#noting?.catch(() => {}); // the caller of `note` gets the error
    const note = this.onClosed();
    if (note === undefined) return await this.#leave();
    const last = this.#last;
    try {
      await this.#write(positionText({ note, beyond: note.beyond, last, open: [] }));
    } catch (error) {
      this.#files!.log.write("warn", `${this.#path} can't be written: ${reason(error)}`);
    }
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {}); // what was written to it is on the disk
  }

  get #path(): string {
    const { folder, name } = this.#files!;
    return `${folder}${name}${SUFFIX}`;
  }

  async #count(
    file: JournaledFile,
    place: typeof BEGINNING,
    counts: Map<string, number>,
    signal: AbortSignal,
  ): Promise<void> {
    const reader = new PartReader(file, place, this.#files!);
    try {
      while (reader.hasMore) {
        const messages = await reader.next(READ_BYTES, signal);
        if (messages.length === 0) break;
        for (const { msg, recording } of messages) {
          if (storeOf(msg)?.kind !== "Recording") continue;
          counts.set(recording, (counts.get(recording) ?? 0) + 1);
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      const text =
        `${file.line.name} can't be read to its end: what came by NATS and stands behind ` +
        `that is received, and kept, once more: ${reason(error)}`;
      this.#files!.log.write("warn", text, { path: file.line.name, kind: "nats position" });
    } finally {
      await reader.close();
    }
  }

  async #read({ adapter, log }: FollowedFiles): Promise<PositionFile | undefined> {
    if (!await isFileThere(adapter, this.#path)) return undefined;
    const file = await adapter.openAt(this.#path);
    try {
      const bytes = new Uint8Array(Math.min(file.size, MAX_BYTES));
      for (let at = 0, length = 1; at < bytes.length && length > 0; at += length) {
        length = await file.readAt(at, bytes.subarray(at));
      }
      return parsePosition(new TextDecoder().decode(bytes));
    } catch (error) {
      const text = `${this.#path} is damaged, so that all that NATS still has is received again: ` +
        reason(error);
      log.write("error", text, { path: this.#path });
      return undefined;
    } finally {
      await file.close();
    }
  }

  async #add(line: string): Promise<void> {
    const file = this.#file!;
    if (file.isAt !== undefined && !await file.isAt(this.#path)) {
      throw new Error(`${this.#path} was removed or replaced`);
    }
    const bytes = new TextEncoder().encode(line);
    await file.write(bytes);
    await file.sync();
    this.#bytes.added += bytes.length;
  }

  async #write(text: string): Promise<void> {
    await this.#leave();
    const { adapter } = this.#files!;
    const path = this.#path;
    const file = await createAnew(adapter, `${path}.new`, adapter);
    try {
      await takeOverPlace(adapter, `${path}.new`, path); // as far as it goes
      const bytes = new TextEncoder().encode(text);
      await file.write(bytes);
      await file.sync();
      await adapter.rename(`${path}.new`, path);
      await this.#names!.sync();
      this.#bytes = { whole: bytes.length, added: 0 };
      this.#file = file;
    } finally {
      if (this.#file === undefined) await file.close();
    }
  }
}
