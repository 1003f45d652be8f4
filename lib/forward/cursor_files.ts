/**
 * Shows and resets the cursors beside the recordings, while no program saves there.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../base/clock.ts";
import type { FileAdapter } from "../adapters/files/types.ts";
import { silentLog } from "../base/log.ts";
import { indexedFiles } from "../sinks/file/parts/read_index.ts";
import type { SavePattern } from "../sinks/file/save_pattern.ts";
import type { Loss } from "./cursor_line.ts";
import { Cursor, DONE } from "./cursor.ts";
import { CURSOR_INFIX } from "./forward_to.ts";

/** How far a target has acknowledged the files, read from the disk. */
export interface CursorStatus {
  /** Its address, without secrets. */
  readonly target: string;
  /** The cursor's file. */
  readonly path: string;
  /** How many files the index names, and how many of them wait. */
  readonly files: number;
  readonly waitingFiles: number;
  /** How much waits, in bytes of files. */
  readonly waitingBytes: number;
  /** What was removed from the disk before it was sent, since the cursor was made or reset. */
  readonly dropped: Loss;
  /** What the target refused for good. */
  readonly refused: Loss;
  /** What was damaged on the disk, or gone from it, when it was to be sent. */
  readonly unreadable: Loss;
}

/** Where the cursors are. */
export interface CursorPlaceOptions {
  readonly pattern: Pick<SavePattern, "folder" | "name">;
  readonly adapter: FileAdapter;
}

/**
 * Reads how far each target has acknowledged the files.
 *
 * @throws whatever the disk says
 */
export async function cursorStatus(options: CursorPlaceOptions): Promise<CursorStatus[]> {
  const files = await indexedFiles(options.pattern, options.adapter);
  const all: CursorStatus[] = [];
  for (const path of await cursorPaths(options)) {
    const cursor = await openCursor(path, options);
    let [waitingFiles, waitingBytes] = [0, 0];
    for (const { id, name, bytes, state } of files) {
      const place = cursor.placeOf(id);
      if (place === DONE) continue;
      const { folder } = options.pattern;
      // The index has no length of a file that is being written.
      const size = state === "closed" ? bytes : await sizeOf(`${folder}${name}.part`, options);
      waitingFiles++;
      waitingBytes += Math.max(0, size - place.offset);
    }
    const { target } = cursor;
    const [dropped, refused, unreadable] = [
      cursor.loss("dropped"),
      cursor.loss("refused"),
      cursor.loss("unreadable"),
    ];
    const lost = { dropped, refused, unreadable };
    all.push({ target, path, files: files.length, waitingFiles, waitingBytes, ...lost });
  }
  return all;
}

/**
 * Sets cursors to the beginning or the end. No program may save there meanwhile.
 *
 * @param options where
 * @param to `"oldest"`: all that is on the disk is sent again; `"now"`: nothing of it is
 * @param target which one; all if left out
 * @returns the targets whose cursors were changed
 * @throws whatever the disk says
 */
export async function resetCursors(
  options: CursorPlaceOptions,
  to: "oldest" | "now",
  target?: string,
): Promise<string[]> {
  const changed: string[] = [];
  for (const path of await cursorPaths(options)) {
    const cursor = await openCursor(path, options);
    if (target !== undefined && cursor.target !== target) continue;
    if (to === "oldest") await options.adapter.remove(path);
    else {
      const files = await indexedFiles(options.pattern, options.adapter);
      await Promise.all(files.map(({ id }) => cursor.note(id, DONE)));
      cursor.forgive();
      await cursor.close();
      // A cursor only logs that, for a server goes on.
      if (cursor.failure !== undefined) throw cursor.failure;
    }
    changed.push(cursor.target);
  }
  return changed;
}

async function cursorPaths({ pattern, adapter }: CursorPlaceOptions): Promise<string[]> {
  const begin = pattern.name + CURSOR_INFIX;
  const names = await adapter.list(pattern.folder);
  return names.filter((name) => name.startsWith(begin) && name.endsWith(".jsonl")).sort()
    .map((name) => pattern.folder + name);
}

function openCursor(path: string, { adapter }: CursorPlaceOptions): Promise<Cursor> {
  const { now } = SYSTEM_CLOCK;
  return Cursor.open({ path, adapter, log: silentLog, now, target: "(unknown)" });
}

async function sizeOf(path: string, { adapter }: CursorPlaceOptions): Promise<number> {
  if (await adapter.kind(path) !== "file") return 0;
  const file = await adapter.openAt(path);
  await file.close();
  return file.size;
}
