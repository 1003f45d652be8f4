/**
 * Which blueprints one file has, and which it still gets. Besides what a file begins with, copies
 * of blueprints never take more of it than the messages that came for it.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import {
  applicationOf,
  type Introduced,
  introduction,
  missingOf,
  PartContents,
  took,
} from "../../stores/introduction.ts";
import type { Store } from "../../stores/store_memory.ts";
import type { Kept } from "../../stores/kept.ts";
import type { Blueprints } from "../../stores/blueprints.ts";

/** The blueprints of one file; each file has a new one. */
export class PartBlueprints {
  readonly #contents = new PartContents();
  #hasBlueprint = false;
  /** Bytes of messages that came for the file, and bytes that were copied into it. */
  #received = 0;
  #copied = 0;
  /** The version of the blueprints up to which the file has all that it gets. */
  #version = -1;
  /**
   * Bytes of blueprints that were postponed, because they are more than came for the file so far.
   */
  #postponed = Infinity;

  /**
   * @param blueprints of all
   * @param recording the recording of the file, as the blueprints know it; `undefined` if several
   * share the file
   * @param date milliseconds since the Unix epoch
   */
  constructor(
    readonly blueprints: Blueprints<object, Store>,
    readonly recording: object | undefined,
    readonly date: Clock["date"],
  ) {}

  /** Whether a store is announced in the file; if not, it is from now on. */
  introduces(store: Store): boolean {
    const { introduced } = this.#contents;
    if (introduced.has(store)) return true;
    introduced.add(store);
    return false;
  }

  /**
   * Whether there may be something to {@linkcode PartBlueprints.update}; cheap, for it is asked for
   * each open file at each batch.
   */
  get isBehind(): boolean {
    if (this.recording === undefined) return false;
    return this.#version !== this.blueprints.version ||
      this.#postponed <= this.#received - this.#copied;
  }

  /** Takes note of a message that came for the file. */
  received(bytes: number): void {
    this.#received += bytes;
  }

  /** Gives what is to be written before the first message of a store. */
  *introduction(entry: Introduced): Generator<Kept> {
    const { store } = entry;
    if (store === undefined) return;
    const blueprints = store.id.kind === "Recording" ? this.#beginning(store) : [];
    yield* this.#counted(introduction(entry, blueprints, this.#contents, this.date()));
    this.#hasBlueprint ||= blueprints.length > 0;
  }

  /**
   * Gives what is to be written for a message of a blueprint: that message, and what it builds on.
   */
  *message(header: RrdHeader, blueprint: Store): Generator<Kept> {
    this.#hasBlueprint = true;
    const missing = missingOf(header, blueprint, this.#contents, this.date());
    yield* this.#counted(took(blueprint, missing, this.#contents));
  }

  /**
   * Gives what is to be written of blueprints that now go with the recording, also from other
   * clients.
   *
   * @param header of the last message
   * @param store the recording
   */
  *update(header: RrdHeader, store: Store): Generator<Kept> {
    const { blueprints, recording } = this;
    if (recording === undefined || !this.isBehind) return;
    this.#version = blueprints.version;
    this.#postponed = Infinity;
    if (!blueprints.isLogged(recording)) return;
    const all = blueprints.of(recording, applicationOf(store)).activated.map((blueprint) => ({
      blueprint,
      missing: missingOf(header, blueprint, this.#contents, this.date()),
    }));
    const messages = all.flatMap(({ missing }) => missing);
    if (messages.length === 0) return;
    const bytes = messages.reduce((sum, { isNew, bytes }) => sum + (isNew ? 0 : bytes.length), 0);
    if (!this.#hasBlueprint) this.#hasBlueprint = true;
    else if (bytes <= this.#received - this.#copied) this.#copied += bytes;
    else return void (this.#postponed = bytes);
    for (const { blueprint, missing } of all) {
      yield* this.#counted(took(blueprint, missing, this.#contents));
    }
  }

  #beginning(store: Store): Store[] {
    const application = applicationOf(store);
    const hasData = ({ data }: Store) => data.size > 0;
    const own = this.recording && this.blueprints.of(this.recording, application).all;
    const kept = own?.filter(hasData) ?? [];
    return kept.length > 0 ? kept : this.blueprints.latest(application).all.filter(hasData);
  }

  /**
   * Counts messages of a blueprint: those that no file had yet count as received, all others as
   * copied.
   */
  *#counted(messages: Iterable<Kept>): Generator<Kept> {
    for (const kept of messages) {
      if (kept.isNew) this.#received += kept.bytes.length;
      yield kept;
    }
  }
}
