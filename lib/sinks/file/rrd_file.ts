/**
 * The file sink: saves what was logged in `.rrd` files that Rerun opens.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { loadFileAdapter, loadProcessAdapter } from "../../adapters/load.ts";
import { Bridge } from "../../bridge/mod.ts";
import type { ProcessAdapter } from "../../adapters/process/types.ts";
import { checkBatch } from "../../flow/channel/check_batch.ts";
import type { SmartMessage } from "../../flow/channel/smart_message.ts";
import { silentLog } from "../../base/log.ts";
import { checkSaveOptions } from "./_check_options.ts";
import { tellSlowSync } from "./_file_trouble.ts";
import { startPool } from "./_start_pool.ts";
import { FreeSpace } from "./_free_space.ts";
import { watchDrainingFiles } from "./parts/draining_files.ts";
import { handOver } from "./parts/draining_lock.ts";
import type { FileMark } from "./file_mark.ts";
import { FolderSync } from "./parts/folder_sync.ts";
import type { RrdFileSink, RrdFileSinkOptions } from "./sink_options.ts";
import { PartJournal } from "./parts/part_journal.ts";
import type { FileFollower } from "./parts/follower.ts";
import { type OpenedParts, openParts } from "./parts/open_parts.ts";
import { PartCatalog } from "./parts/part_catalog.ts";
import { SavedShelf } from "./parts/saved_shelf.ts";
import { startIndexer } from "./parts/chunk_indexer.ts";
import { IndexRenewal } from "./parts/index_renewal.ts";
import { recoverAll } from "./parts/recover.ts";
import { Gathering } from "./writer/gathering.ts";
import { RrdFiles } from "./_rrd_files.ts";
import { repeat, rotationStep } from "./rotation.ts";
import { startCompressor } from "./writer/compressor.ts";
import { type SavePlace, takeSavePlace } from "./save_place.ts";
import { Syncer } from "./writer/syncer.ts";
import { WriteBudget } from "./writer/write_budget.ts";
import { plural } from "../../base/plural.ts";

export type { RrdFileSink, RrdFileSinkOptions };

/**
 * Opens `.rrd` files that take every message as the SDK encoded it.
 *
 * A file is called `NAME.part` until it is closed. One that an earlier run left gets a name at the start
 * and is recovered beside the saving: a torn end is cut off; of one that is damaged elsewhere all that is
 * whole is written anew, and the original kept as `NAME.damaged`. Only what `PATTERN.index.jsonl` names
 * is touched. Rerun's viewer reads one header a file. So the header is
 * that of the first message; messages of other SDK versions go under it as well (readers only warn
 * of a version), while those of another serializer or compression, or protobuf of another
 * generation, go into a sibling, `NAME.2.rrd` and so on. The end marker, which readers before 0.19
 * fail on, is left out if all messages are of 0.18 or older. Nothing received: an empty recording.
 * When the disk fails, the file is cut to its last whole message and closed, and another is tried,
 * after 0.5 s at first and 30 s at last; what comes meanwhile is counted as lost. Each file opens
 * alone: before the first message of a recording stand its announcement, its blueprints and its
 * latest static data, where earlier files have them.
 *
 * @param options where and how
 * @throws {RangeError} if an option is out of its range, or rotates or keeps files where the path makes one
 * @throws {TypeError} if there is no such option
 * @throws {FileExists} if the file is there and `force` is not set
 * @throws {SaveLocked} if another program saves under the same name
 * @throws {PartExists} if an unfinished file that is not ours has the name of the first one
 * @throws whatever the runtime says if the file can't be created
 *
 * @example
 * ```ts
 * import { memoryFiles, rrdFileSink } from "@rerelay/server/sinks";
 * import { assertEquals } from "@std/assert";
 *
 * const files = memoryFiles(); // left out: the disk
 * const sink = await rrdFileSink({ path: "empty.rrd", files });
 * await sink.close();
 * assertEquals(files.read("empty.rrd")?.length, 12 + 8); // header and end marker
 * assertEquals(sink.saved, [{ path: "empty.rrd", messages: 0, bytes: 0 }]);
 * ```
 *
 * @example As a stream
 * ```ts
 * import { memoryFiles, rrdFileSink } from "@rerelay/server/sinks";
 * import { assertEquals } from "@std/assert";
 *
 * const files = memoryFiles();
 * const sink = await rrdFileSink({ path: "a.rrd", files });
 * await new ReadableStream({ start: (controller) => controller.close() }) // here: server.readable
 *   .pipeTo(sink.writable);
 * assertEquals(files.paths, ["a.rrd.index.jsonl", "a.rrd"]);
 * ```
 */
export async function rrdFileSink(options: RrdFileSinkOptions): Promise<RrdFileSink> {
  checkSaveOptions(options);
  const { path, force = false } = options;
  const adapter = options.files ?? await loadFileAdapter();
  const processes = options.processes ?? (options.files ? undefined : await loadProcessAdapter());
  const place = await takeSavePlace(path, force, adapter, processes);
  try {
    return await startSink(options, place, processes);
  } catch (error) {
    await place.unlock();
    throw error;
  }
}

async function startSink(
  options: RrdFileSinkOptions,
  place: SavePlace,
  processes: ProcessAdapter | undefined,
): Promise<RrdFileSink> {
  const { path, force = false, log = silentLog, sync = "interval", rotation = {} } = options;
  const { now = SYSTEM_CLOCK.now, date = SYSTEM_CLOCK.date, timer = SYSTEM_CLOCK.timer } = options;
  const { keep = {}, newId = () => crypto.randomUUID() } = options;
  const { pattern, adapter, unlock } = place;
  const budget = new WriteBudget(now);
  const compressor = options.compress === "lz4" ? startCompressor() : undefined;
  const bridge = options.rrdFormat === "current" ? new Bridge({ sharesData: true }) : undefined;
  const isSynced = sync !== "never";
  const folder = new FolderSync(pattern.folder, adapter, isSynced, log);
  const replace = force && pattern.placeholders.size === 0;
  const { chunkIndex = false } = options;
  const indexer = chunkIndex ? await startIndexer(adapter) : undefined;
  const pool = startPool(processes?.maxOpenFiles, isSynced, now, log);
  const writer = {
    ...{ adapter, replace, sync: isSynced, pool, budget, compressor, indexer, folder, date },
  };
  const catalog = options.shelved ? new PartCatalog() : undefined;
  const { followers = [] } = options;
  const journal = followers.length === 0 ? undefined : new PartJournal();
  const begun: FileFollower[] = [];
  let opened: OpenedParts;
  try {
    for (const follower of journal === undefined ? [] : followers) {
      const { folder, name } = pattern;
      begun.push(follower);
      await follower.open({ folder, name, adapter, log, journal: journal!, now, timer });
    }
    opened = await openParts({
      ...{ path, place, writer, folder, log, keep, newId, catalog, journal },
    });
  } catch (error) {
    // Else threads would keep the program from ending, and followers would write without the lock.
    compressor?.close();
    indexer?.stop();
    await Promise.all(begun.map((follower) => follower.close(AbortSignal.abort())));
    throw error;
  }
  const { opener, index, leftovers, first } = opened;
  const renewal = indexer && index && new IndexRenewal({
    ...{ folder: pattern.folder, adapter, log, index, indexer, names: folder, sync: isSynced },
    onRemoved: (names) => files.removed(names),
  });
  const files = new RrdFiles({
    ...{ name: path, opener, renewal, index, bridge, log, rotation, pool, budget, now, date },
    onError: options.onError ?? (() => {}),
    onOpened: () => watch(),
  }, first);
  const shelf = catalog && index && new SavedShelf({
    ...{ folder: pattern.folder, adapter, catalog, index, live: () => files.live },
    onRemoved: (names) => files.removed(names),
  });
  const written = () => files.kept.bytes;
  const space = new FreeSpace({ folder: pattern.folder, adapter, log, now, written });
  const stopRecovering = new AbortController();
  const recovered = index === undefined ? Promise.resolve() : recoverAll(leftovers, {
    ...{ folder: pattern.folder, adapter, log, index, names: folder, renewal },
    onRemoved: (names) => files.removed(names),
  }, stopRecovering.signal);
  let stopWatching = () => {};
  let followed: Promise<void> | undefined;
  const stopFollowers = () =>
    followed ??= (async () => {
      stopWatching();
      const stop = new AbortController();
      const callOff = timer(FOLLOW_MS, () => stop.abort());
      await Promise.all(followers.map((follower) => follower.close(stop.signal)));
      callOff();
      journal?.end();
    })();
  if (journal !== undefined && index !== undefined) {
    const { draining } = place;
    stopWatching = watchDrainingFiles({
      ...{ pattern, adapter, processes, draining, journal, log, timer },
    });
    journal.onFinished = (line) => void index.forwarded(line).then((names) => files.removed(names));
  }
  for (const line of index?.takeUnindexed() ?? []) renewal?.add(line);
  let handingOver: Promise<boolean> | undefined;
  let writing: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;
  /** How many actions wait or run, and how many of them are writes. */
  let waiting = 0;
  /** A sync that waits for its turn, which all share who ask before it begins. */
  let syncing: Promise<void> | undefined;
  let writes = 0;
  const gathering = new Gathering({ now, timer }, budget, files);
  const tellSlow = (tookMs: number) => tellSlowSync(log, path, files.open, tookMs);
  const syncer = new Syncer(sync, timer, now, gathering.synced(files), tellSlow);
  const watch = () => (gathering.watch(), syncer.watch());

  /** Adds messages, waiting only where it must: an `await` costs more than copying a batch. */
  function writeFrom(batch: readonly SmartMessage[], start: number): Promise<void> | undefined {
    budget.tick();
    for (let i = start; i < batch.length; i++) {
      const { payload, source } = batch[i]!;
      const written = payload.type === "quit"
        ? files.forget(source.id)
        : closing !== undefined
        ? files.refuse(payload.msg)
        : files.add(payload.msg, source);
      if (written !== undefined) return written.then(() => writeFrom(batch, i + 1));
    }
    watch();
    space.look();
    if (sync === "always") return files.drain().then(() => files.sync());
    const roomy = () => sync === "interval" && budget.isLate ? budget.waitForRoom() : undefined;
    const begun = files.begun();
    return begun === undefined ? roomy() : begun.then(roomy);
  }

  function write(action: () => Promise<void> | undefined): Promise<void> {
    writes++;
    return inTurn(action).finally(() => writes--);
  }

  /** Runs actions one after another. */
  async function inTurn(action: () => Promise<void> | undefined): Promise<void> {
    waiting++;
    const before = writing;
    const next = (async () => {
      await before;
      await action();
    })();
    // The caller of a failed write gets its error; the next one is tried all the same.
    writing = next.catch(() => {}).finally(() => waiting--);
    return await next;
  }

  const stopRotating = rotation.maxAgeSec === undefined
    ? () => {}
    : repeat(timer, rotationStep(rotation.maxAgeSec), () => inTurn(() => files.rotate()));

  let writable: WritableStream<readonly SmartMessage[]> | undefined;
  const sink: RrdFileSink = {
    name: path,
    get writable() {
      return writable ??= new WritableStream({
        write: (batch) => sink.write(batch),
        close: () => sink.close(),
        abort: () => sink.close(),
      });
    },
    lost: files.lost,
    get failed() {
      return files.failed;
    },
    get kept() {
      return files.kept;
    },
    get bridge() {
      return bridge?.counts;
    },
    get saved() {
      return files.saved;
    },
    shelf,
    recovered,
    indexed: recovered.then(() => renewal?.done()),
    confirm() {
      const before = files.lost.messages;
      return async () => {
        await (syncing ??= inTurn(async () => {
          syncing = undefined;
          await files.drain();
          await files.sync();
        }));
        const lost = files.lost.messages - before;
        if (lost > 0) throw new Error(`${path} lost ${plural(lost, "message")} meanwhile`);
      };
    },
    write(batch) {
      checkBatch(batch);
      if (waiting > 0) return write(() => writeFrom(batch, 0));
      const rest = writeFrom(batch, 0);
      return rest && write(() => rest);
    },
    handOver: () =>
      handingOver ??= handOver(closing ? {} : place, index, async () => {
        stopRecovering.abort();
        renewal?.stop();
        await recovered.then(() => renewal?.done());
        // Followers first, for only one program may write a cursor: the next one goes on from
        // there.
        await stopFollowers();
      }),
    async mark(onMarked) {
      let marks: FileMark[] = [];
      await inTurn(async () => {
        marks = await files.mark();
        onMarked?.();
      });
      await files.allSynced();
      return marks;
    },
    close() {
      closing ??= (async () => {
        const isCut = writes > 0;
        // Files that were closed before get their index at the next start; those that are being
        // closed get it now.
        for (const stop of [stopRotating, () => gathering.stop(), () => renewal?.stop()]) stop();
        indexer?.hurry();
        // `close` was called while a write runs: what is being written is finished, and nothing else.
        // What was gathered is being written a moment later.
        if (isCut) await Promise.resolve().then(() => files.cut());
        const callOff = timer(CLOSE_MS, () => {
          stopRecovering.abort();
          indexer?.stop();
        });
        await Promise.all([writing, handingOver?.catch(() => {})]);
        try {
          await files.close();
        } finally {
          await stopFollowers();
          await recovered.then(() => renewal?.done());
          callOff();
          indexer?.stop();
          syncer.stop();
          compressor?.close();
          await index?.close();
          await opener.close();
          await unlock();
        }
      })();
      return closing;
    },
  };
  return sink;
}

/**
 * How long recovering and indexing may go on when the sink closes, in milliseconds; the next start
 * does the rest.
 */
const CLOSE_MS = 500;

/**
 * How long followers may go on when the sink closes, in milliseconds; the next start does the rest.
 */
const FOLLOW_MS = 500;
