/**
 * Which recordings get which messages, where each recording is to be opened alone.
 *
 * @module
 */
import { RerelayError } from "../base/errors.ts";
import { copyOut } from "../flow/channel/copy_out.ts";
import type { LogMsg, StoreId } from "../encoding/log_msg.ts";
import { storeOf } from "../encoding/store_of.ts";

/** Stores of one file. */
const MAX_STORES = 10_000;
/** Of blueprints, which are kept for recordings that may follow. */
const MAX_BLUEPRINT_BYTES = 256 << 20;

/** A message, and a store whose file it belongs into. */
export interface Placed {
  readonly msg: LogMsg;
  readonly store: StoreId;
}

interface Blueprint {
  readonly id: StoreId;
  readonly messages: LogMsg[];
}

interface Application {
  readonly recordings: StoreId[];
  readonly blueprints: Set<Blueprint>;
}

/** Gives each recording its messages, and the blueprints of its application. */
export class RecordingGroups {
  readonly #applications = new Map<string, Application>();
  /** By store: the application, once it is known. */
  readonly #applicationOf = new Map<string, string | undefined>();
  readonly #blueprints = new Map<string, Blueprint>();
  #blueprintBytes = 0;

  /**
   * Takes the next message.
   *
   * @returns it, once for each recording that it goes with, and those before it that now have a place
   * @throws {RerelayError} if there are too many recordings, or too much is to be kept
   */
  add(msg: LogMsg): Placed[] {
    const store = storeOf(msg);
    if (store === undefined) return [];
    const key = keyOf(store);
    const before = this.#applicationOf.get(key);
    const name = before ?? (msg.kind === "SetStoreInfo" ? msg.info.applicationId : undefined) ??
      store.applicationId;
    if (!this.#applicationOf.has(key) && this.#applicationOf.size === MAX_STORES) {
      throw new RerelayError(`There are more than ${MAX_STORES} recordings`);
    }
    this.#applicationOf.set(key, name);
    const application = name === undefined ? undefined : this.#application(name);
    const isNew = before === undefined && name !== undefined;
    return store.kind === "Recording"
      ? [{ msg, store }, ...(isNew ? this.#joinRecording(application!, store) : [])]
      : this.#addBlueprint(msg, store, application, isNew);
  }

  /** What went with no recording, each blueprint for itself. */
  finish(): Placed[] {
    const placed = [...this.#applications.values()]
      .filter(({ recordings }) => recordings.length > 0)
      .flatMap(({ blueprints }) => [...blueprints]);
    return [...this.#blueprints.values()]
      .filter((blueprint) => !placed.includes(blueprint))
      .flatMap(({ id, messages }) => messages.map((msg) => ({ msg, store: id })));
  }

  #application(name: string): Application {
    let application = this.#applications.get(name);
    if (application === undefined) {
      application = { recordings: [], blueprints: new Set() };
      this.#applications.set(name, application);
    }
    return application;
  }

  #joinRecording({ recordings, blueprints }: Application, store: StoreId): Placed[] {
    recordings.push(store);
    return [...blueprints].flatMap(({ messages }) => messages.map((msg) => ({ msg, store })));
  }

  #addBlueprint(
    msg: LogMsg,
    id: StoreId,
    application: Application | undefined,
    isNew: boolean,
  ): Placed[] {
    const key = keyOf(id);
    let blueprint = this.#blueprints.get(key);
    if (blueprint === undefined) this.#blueprints.set(key, blueprint = { id, messages: [] });
    this.#keep(msg, blueprint);
    if (application === undefined) return [];
    application.blueprints.add(blueprint);
    const messages = isNew ? blueprint.messages : [msg];
    return application.recordings.flatMap((store) => messages.map((msg) => ({ msg, store })));
  }

  #keep(msg: LogMsg, { messages }: Blueprint): void {
    this.#blueprintBytes += msg.encoded.bytes.length;
    if (this.#blueprintBytes > MAX_BLUEPRINT_BYTES) {
      throw new RerelayError(`Blueprints of more than ${MAX_BLUEPRINT_BYTES} bytes`);
    }
    messages.push(...copyOut([msg]));
  }
}

function keyOf({ kind, id }: StoreId): string {
  return `${kind} ${id}`;
}
