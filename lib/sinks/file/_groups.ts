/**
 * Groups recordings that share files, as the pattern says.
 *
 * @module
 */
import { forgetOldest } from "../../base/forget_oldest.ts";
import type { MessageSource } from "../../flow/channel/smart_message.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { applicationOf, UNKNOWN_APPLICATION } from "../../stores/introduction.ts";
import type { Numbered } from "./parts/part_opener.ts";
import type { Series } from "./_series.ts";
import type { SeriesOwner } from "./_series_host.ts";
import { shortened, type Store } from "../../stores/store_memory.ts";
import type { Blueprints } from "../../stores/blueprints.ts";
import type { SavePattern } from "./save_pattern.ts";

/** How many groups there may be; the one that was quiet for longest is forgotten. */
const MAX_GROUPS = 10_000;

/** Recordings that share files: one series of files for each encoding. */
export interface Group extends SeriesOwner {
  readonly names: Numbered;
  readonly key: string;
  readonly series: Map<string, Series>;
  forgotten: boolean;
}

/** Finds the group of a message. */
export class Groups {
  readonly #perRecording: boolean;
  readonly #perApplication: boolean;
  readonly #perBox: boolean;
  /** The one used last at the end. */
  readonly #groups = new Map<string, Group>();
  readonly #byStore = new WeakMap<Store, Group>();
  readonly #bySource = new Map<number, Group>();
  #evicted: Series[] = [];
  #last: Group | undefined;

  /**
   * @param pattern says whether recordings share files
   * @param next number of the first file
   * @param blueprints told which client logs which recording, where each has its own files
   */
  constructor(
    readonly pattern: SavePattern,
    readonly next: number,
    readonly blueprints: Blueprints<object, Store>,
  ) {
    this.#perRecording = pattern.placeholders.has("recording_id");
    this.#perApplication = pattern.placeholders.has("application_id");
    this.#perBox = pattern.placeholders.has("box");
  }

  /** Where a message goes that is not of a blueprint. */
  target(store: Store | undefined, msg: LogMsg, source: MessageSource): Group {
    const sourceId = source.id;
    if (!this.#perRecording && !this.#perApplication && !this.#perBox) {
      return this.#last ??= this.#group(keyOf(), UNKNOWN_APPLICATION, UNKNOWN_APPLICATION);
    }
    // A message without a store most likely belongs to what its client sent before.
    if (store === undefined) {
      const last = this.#bySource.get(sourceId);
      return last ?? this.#group(keyOf(), UNKNOWN_APPLICATION, UNKNOWN_APPLICATION);
    }
    const box = this.#perBox ? source.box : undefined;
    const announced = msg.kind === "SetStoreInfo" ? msg.info.applicationId : undefined;
    const application = announced === undefined ? applicationOf(store) : shortened(announced);
    const group = this.#groupOf(store, application, box);
    if (this.#last !== group) {
      this.#last = group;
      this.#groups.delete(group.key);
      this.#groups.set(group.key, group);
    }
    if (announced === undefined && this.#bySource.get(sourceId) === group) return group;
    this.#bySource.set(sourceId, group);
    if (group.recording !== undefined) {
      this.blueprints.logs(sourceId, group.recording, application);
    }
    return group;
  }

  /**
   * Where a message of a blueprint goes.
   *
   * @param store the blueprint
   * @param msg its message
   * @param source the client that sent it
   * @param now monotonic milliseconds
   * @returns `undefined` if no files are open that it goes with
   */
  blueprintTarget(
    store: Store,
    msg: LogMsg,
    { id, box }: MessageSource,
    now: number,
  ): Group | undefined {
    const application = applicationOf(store);
    const recording = this.blueprints.note(id, application, msg, store, now);
    if (this.#perRecording) return recording as Group | undefined;
    const own = this.#perApplication ? application : undefined;
    const known = this.#groups.get(keyOf(own, undefined, this.#perBox ? box : undefined));
    if (known !== undefined || this.pattern.placeholders.size > 0) return known;
    return this.#group(keyOf(), UNKNOWN_APPLICATION, UNKNOWN_APPLICATION);
  }

  /** Takes out the series of groups that were forgotten, so that they are closed. */
  takeEvicted(): Series[] {
    const evicted = this.#evicted;
    this.#evicted = [];
    return evicted;
  }

  /** Forgets a client. */
  forget(sourceId: number): void {
    this.#bySource.delete(sourceId);
    this.blueprints.quit(sourceId);
  }

  #groupOf(store: Store, application: string, box: string | undefined): Group {
    const known = this.#byStore.get(store);
    if (known !== undefined && !known.forgotten && known.names.box === box) return known;
    const id = this.#perRecording ? store.id.id : UNKNOWN_APPLICATION;
    const key = keyOf(
      this.#perApplication ? application : undefined,
      this.#perRecording ? id : undefined,
      box,
    );
    const group = this.#group(key, application, id, box, this.#perRecording);
    this.#byStore.set(store, group);
    return group;
  }

  #group(
    key: string,
    applicationId: string,
    recordingId: string,
    box?: string,
    isRecording = false,
  ): Group {
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group: Group = {
      names: { applicationId, recordingId, next: this.next, ...(box !== undefined && { box }) },
      key,
      series: new Map(),
      forgotten: false,
      get recording() {
        return isRecording ? group : undefined;
      },
    };
    this.#groups.set(key, group);
    for (const [, gone] of forgetOldest(this.#groups, MAX_GROUPS)) {
      gone.forgotten = true;
      this.#evicted.push(...gone.series.values());
    }
    return group;
  }
}

function keyOf(application?: string, recording?: string, box?: string): string {
  return JSON.stringify({ application, recording, box });
}
