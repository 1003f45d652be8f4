/**
 * Which recordings share files, as the pattern says.
 *
 * @module
 */
import { forgetOldest } from "../../base/forget_oldest.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { applicationOf, UNKNOWN_APPLICATION } from "../../stores/introduction.ts";
import type { Numbered } from "./parts/part_opener.ts";
import type { Series } from "./_series.ts";
import { shortened, type Store } from "../../stores/store_memory.ts";
import type { SavePattern } from "./save_pattern.ts";

/** Recordings that have files of their own; the one that was quiet for longest is forgotten. */
const MAX_GROUPS = 10_000;

/** Recordings that share files: one series of files for each encoding. */
export interface Group {
  readonly group: Numbered;
  readonly key: string;
  readonly series: Map<string, Series>;
  forgotten: boolean;
}

/** Finds the group of a message. */
export class Groups {
  readonly #perRecording: boolean;
  readonly #perApplication: boolean;
  /** The one used last at the end. */
  readonly #groups = new Map<string, Group>();
  readonly #byStore = new WeakMap<Store, Group>();
  readonly #bySource = new Map<number, Group>();
  #evicted: Series[] = [];
  #last: readonly [Group] | undefined;

  /**
   * @param pattern says whether recordings share files
   * @param next number of the first file
   */
  constructor({ placeholders }: SavePattern, readonly next: number) {
    this.#perRecording = placeholders.has("recording_id");
    this.#perApplication = placeholders.has("application_id");
  }

  /** Where a message goes; the first is where it counts. */
  targets(
    store: Store | undefined,
    msg: LogMsg,
    sourceId: number,
  ): readonly [Group, ...Group[]] {
    if (!this.#perRecording && !this.#perApplication) {
      return this.#last ??= [this.#group("", UNKNOWN_APPLICATION, UNKNOWN_APPLICATION)];
    }
    // What names no store most likely belongs to what its client sent before.
    if (store === undefined) {
      const last = this.#bySource.get(sourceId);
      return [last ?? this.#group("", UNKNOWN_APPLICATION, UNKNOWN_APPLICATION)];
    }
    const announced = msg.kind === "SetStoreInfo" ? msg.info.applicationId : undefined;
    const application = shortened(announced ?? applicationOf(store));
    if (store.id.kind === "Blueprint" && this.#perRecording) {
      const all = this.#recordingsOf(application);
      if (all.length > 0) return all as [Group, ...Group[]];
    }
    const known = this.#byStore.get(store);
    if (known !== undefined && !known.forgotten) return this.#use(known, sourceId);
    const id = this.#perRecording ? store.id.id : UNKNOWN_APPLICATION;
    const own = this.#perRecording ? `${store.id.kind} ${id}` : "";
    const key = JSON.stringify([this.#perApplication ? application : "", own]);
    const group = this.#group(key, application, id);
    this.#byStore.set(store, group);
    return this.#use(group, sourceId);
  }

  /** What was closed for want of room. */
  takeEvicted(): Series[] {
    const evicted = this.#evicted;
    this.#evicted = [];
    return evicted;
  }

  /** Forgets a client. */
  forget(sourceId: number): void {
    this.#bySource.delete(sourceId);
  }

  #use(group: Group, sourceId: number): readonly [Group] {
    if (this.#last?.[0] !== group) {
      this.#last = [group];
      this.#groups.delete(group.key);
      this.#groups.set(group.key, group);
    }
    if (this.#bySource.get(sourceId) !== group) this.#bySource.set(sourceId, group);
    return this.#last;
  }

  #recordingsOf(application: string): Group[] {
    return [...this.#groups.values()].filter(({ group, key }) =>
      group.applicationId === application && key.includes("Recording ")
    );
  }

  #group(key: string, applicationId: string, recordingId: string): Group {
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = {
      group: { applicationId, recordingId, next: this.next },
      key,
      series: new Map(),
      forgotten: false,
    };
    this.#groups.set(key, group);
    for (const [, gone] of forgetOldest(this.#groups, MAX_GROUPS)) {
      gone.forgotten = true;
      this.#evicted.push(...gone.series.values());
    }
    return group;
  }
}
