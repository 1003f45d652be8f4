/**
 * Decides which messages go with which recording, so that each recording can be opened alone.
 *
 * @module
 */
import { RerelayError } from "../base/errors.ts";
import { copyOut } from "../flow/channel/copy_out.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { StoreId } from "../encoding/message_parts.ts";
import { BlueprintRoles } from "../stores/blueprint_roles.ts";
import { storeKey, storeOf, toldApplication } from "../encoding/store_of.ts";

/** How many stores a file may have. */
const MAX_STORES = 10_000;
/** Bytes of blueprints that are kept for recordings that may follow. */
const MAX_BLUEPRINT_BYTES = 256 << 20;

/** A message, and a store whose file it belongs into. */
export interface Placed {
  readonly msg: LogMsg;
  readonly store: StoreId;
}

interface Blueprint {
  readonly id: StoreId;
  /** Its messages, which are forgotten when newer blueprints have replaced it. */
  messages: LogMsg[];
  /** Messages that no recording got yet. */
  readonly unplaced: Set<LogMsg>;
}

interface Recording {
  readonly store: StoreId;
  /** Messages of blueprints that it has. */
  readonly has: WeakSet<LogMsg>;
  hasBlueprint: boolean;
  /** Bytes of its own messages, less those of the blueprints that were copied into it. */
  credit: number;
  /** How many messages of blueprints had come when it last got some. */
  version: number;
}

interface Application {
  readonly blueprints: BlueprintRoles<Blueprint>;
  /** The one that got a message last comes last. */
  readonly recordings: Map<string, Recording>;
}

/**
 * Gives each recording its messages, and the blueprints of its application: those that are active or
 * default when it begins, and those that replace them while it goes on, as far as such copies do not
 * take more than its own messages. What comes at the end goes to the recording that came last.
 */
export class RecordingGroups {
  readonly #applications = new Map<string, Application>();
  /** The application of each store, once it is known. */
  readonly #applicationOf = new Map<string, string | undefined>();
  readonly #blueprints = new Map<string, Blueprint>();
  #blueprintBytes = 0;
  #version = 0;

  /**
   * Takes the next message.
   *
   * @returns the message itself, unless it is of a blueprint, and earlier messages that now have a
   * place
   * @throws {RerelayError} if there are too many recordings, or too much is to be kept
   */
  add(msg: LogMsg): Placed[] {
    const store = storeOf(msg);
    if (store === undefined) return [];
    const key = storeKey(store);
    const before = this.#applicationOf.get(key);
    const name = before ?? toldApplication(msg);
    if (!this.#applicationOf.has(key) && this.#applicationOf.size === MAX_STORES) {
      throw new RerelayError(
        `The input has more than ${MAX_STORES} recordings: give fewer files at once`,
      );
    }
    this.#applicationOf.set(key, name);
    const application = name === undefined ? undefined : this.#application(name);
    if (store.kind === "Blueprint") {
      return this.#addBlueprint(msg, store, application, before === undefined);
    }
    if (application === undefined) return [{ msg, store }];
    return this.#addToRecording(msg, store, application);
  }

  /**
   * The messages that are left: blueprints that went with no recording, each as a file of its own.
   */
  finish(): Placed[] {
    const placed = [...this.#applications.values()].flatMap(({ recordings, blueprints }) => {
      const last = [...recordings.values()].at(-1);
      return [...recordings.values()]
        .filter((recording) => recording === last || !recording.hasBlueprint)
        .flatMap((recording) => this.#copy(recording, blueprints.all));
    });
    const alone = [...this.#blueprints.values()].flatMap(alonePlaced);
    return [...placed, ...alone];
  }

  #application(name: string): Application {
    let application = this.#applications.get(name);
    if (application === undefined) {
      application = { blueprints: new BlueprintRoles(), recordings: new Map() };
      this.#applications.set(name, application);
    }
    return application;
  }

  #addToRecording(
    msg: LogMsg,
    store: StoreId,
    { recordings, blueprints }: Application,
  ): Placed[] {
    const known = recordings.get(store.id);
    const recording = known ??
      { store, has: new WeakSet(), hasBlueprint: false, credit: 0, version: this.#version };
    recordings.delete(store.id);
    recordings.set(store.id, recording);
    recording.credit += msg.encoded.bytes.length;
    if (known === undefined) return [{ msg, store }, ...this.#copy(recording, blueprints.all)];
    if (recording.version === this.#version) return [{ msg, store }];
    // Messages that no recording got yet do not count as copies.
    const copies = blueprints.activated.flatMap(({ messages, unplaced }) =>
      messages.filter((message) => !recording.has.has(message) && !unplaced.has(message))
    );
    const bytes = copies.reduce((sum, { encoded }) => sum + encoded.bytes.length, 0);
    if (recording.hasBlueprint && bytes > recording.credit) return [{ msg, store }];
    if (recording.hasBlueprint) recording.credit -= bytes;
    recording.version = this.#version;
    return [...this.#copy(recording, blueprints.activated), { msg, store }];
  }

  #copy(recording: Recording, blueprints: readonly Blueprint[]): Placed[] {
    return blueprints.flatMap(({ messages, unplaced }) =>
      messages.filter((msg) => !recording.has.has(msg)).map((msg) => {
        recording.has.add(msg);
        recording.hasBlueprint = true;
        unplaced.delete(msg);
        return { msg, store: recording.store };
      })
    );
  }

  #addBlueprint(
    msg: LogMsg,
    id: StoreId,
    application: Application | undefined,
    isNew: boolean,
  ): Placed[] {
    const key = storeKey(id);
    let blueprint = this.#blueprints.get(key);
    if (blueprint === undefined) {
      blueprint = { id, messages: [], unplaced: new Set() };
      this.#blueprints.set(key, blueprint);
    }
    this.#keep(msg, blueprint);
    if (application === undefined) return [];
    const before = application.blueprints.all;
    for (const each of isNew ? blueprint.messages : [msg]) {
      application.blueprints.note(each, blueprint, ++this.#version);
    }
    const after = application.blueprints.all;
    return before.filter((blueprint) => !after.includes(blueprint))
      .flatMap((blueprint) => this.#giveUp(blueprint));
  }

  #keep(msg: LogMsg, { messages, unplaced }: Blueprint): void {
    this.#blueprintBytes += msg.encoded.bytes.length;
    if (this.#blueprintBytes > MAX_BLUEPRINT_BYTES) {
      throw new RerelayError(
        `The input has blueprints of more than ${MAX_BLUEPRINT_BYTES} bytes: give fewer files at once`,
      );
    }
    const [kept] = copyOut([msg]);
    messages.push(kept!);
    unplaced.add(kept!);
  }

  /**
   * Forgets a blueprint that no recording will get any more; gives its messages that none has got.
   */
  #giveUp(blueprint: Blueprint): Placed[] {
    const placed = alonePlaced(blueprint);
    for (const { encoded } of blueprint.messages) this.#blueprintBytes -= encoded.bytes.length;
    blueprint.messages = [];
    return placed;
  }
}

function alonePlaced({ id, unplaced }: Blueprint): Placed[] {
  const placed = [...unplaced].map((msg) => ({ msg, store: id }));
  unplaced.clear();
  return placed;
}
