/**
 * What is known of each recording, and of which application each blueprint is.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { compareVersions, type RrdVersion, rrdVersionText } from "../encoding/rrd_header.ts";
import { shortened } from "../base/escape.ts";
import { forgetOldest } from "../base/forget_oldest.ts";
import type { MessageSource, SmartMessage } from "../flow/channel/smart_message.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { StoreId, StoreInfo, StoreSource } from "../encoding/message_parts.ts";
import { storeOf } from "../encoding/store_of.ts";
import { Applications } from "./applications.ts";
import { Blueprints } from "./blueprints.ts";

/**
 * A box that forwards what it has saved counts as gone after so long without a message, in
 * milliseconds.
 */
export const SILENT_MS = 60_000;

/** What is known of one recording. */
export interface RecordingSummary {
  /** The recording id as the SDK chose it; any text a peer likes. */
  readonly id: string;
  /** Empty for one that was never announced. */
  readonly applicationId: string;
  /** Version of the SDK, such as `0.22.1`; of several that logged to it, the newest. */
  readonly sdk: string | undefined;
  /** Versions of all SDKs that logged to it, the newest first; at most 16. */
  readonly sdkVersions: readonly RrdVersion[];
  /** What made it, such as `Python 3.11.7`. */
  readonly source: string;
  /** When the SDK began it, nanoseconds since the Unix epoch; 0 for one that was never announced. */
  readonly startedNs: bigint;
  /** When its first message came, milliseconds since the Unix epoch. */
  readonly firstMs: number;
  /** When its last message came, milliseconds since the Unix epoch. */
  readonly lastMs: number;
  /** Messages that came for it, those that history has dropped included. */
  readonly messages: number;
  /** Their bytes. */
  readonly bytes: number;
  /**
   * Whether a client that has logged to it is still connected; if a box forwards it, whether
   * something came lately.
   */
  readonly live: boolean;
}

/**
 * How many recordings, and how many blueprints, are remembered; the one without a message for
 * longest is forgotten first.
 */
const MAX_STORES = 10_000;
/** Characters of a name that are kept. */
const MAX_NAME = 1024;
/** Real announcements have a few hundred bytes; of longer ones not all is kept. */
const MAX_ANNOUNCEMENT_BYTES = 4096;
/** For how many recordings of one client is remembered that it logs to them. */
const MAX_OF_CLIENT = 100;
/** How many versions of one recording are remembered: a fleet is updated one robot at a time. */
const MAX_VERSIONS = 16;

interface Recording {
  readonly id: string;
  info?: StoreInfo;
  /** Version of the SDK of the last message. */
  version: RrdVersion | undefined;
  /** All versions, the newest first. */
  readonly versions: RrdVersion[];
  readonly firstMs: number;
  lastMs: number;
  messages: number;
  bytes: number;
  /** Connected clients that have logged to it. */
  clients: number;
  /** How many of these are boxes: only what comes shows whether they are still there. */
  boxes: number;
  /**
   * When another Rerelay last forwarded some of it: its calls end within a second each, so an open
   * call says nothing.
   */
  forwardedMs: number;
}

/** All recordings. */
export class Recordings {
  /** The one that got a message last comes last. */
  readonly #recordings = new Map<string, Recording>();
  /** Remembers the applications of blueprints. */
  readonly #applications = new Applications();
  readonly #blueprints = new Blueprints<Recording, string>();
  readonly #ofClient = new Map<number, Set<Recording>>();
  #last: Recording | undefined;
  /** The recording that was asked for last. */
  #found:
    | { readonly recording: Recording; readonly version: number; readonly ids: readonly string[] }
    | undefined;

  /** @param date milliseconds since the Unix epoch */
  constructor(readonly date: Clock["date"]) {}

  /** The newest first. */
  get summaries(): RecordingSummary[] {
    const now = this.date();
    return Array.from(this.#recordings.values(), (one) => summary(one, now)).reverse();
  }

  /** Takes note of a message, or that a client has left. */
  note({ source, payload }: SmartMessage): void {
    if (payload.type === "quit") return this.#leave(source);
    const { msg } = payload;
    const storeId = storeOf(msg);
    if (storeId === undefined) return;
    if (storeId.kind === "Blueprint") {
      return this.#noteBlueprint(source.id, msg, storeId);
    }
    const recording = this.#recording(named(storeId.id));
    if (msg.kind === "SetStoreInfo") recording.info = bounded(msg.info, msg.encoded.bytes.length);
    noteVersion(recording, msg.encoded.header.version);
    recording.lastMs = this.date();
    if (source.isForwarded) recording.forwardedMs = recording.lastMs;
    recording.messages++;
    recording.bytes += msg.encoded.bytes.length;
    this.#join(source, recording, msg.kind === "SetStoreInfo");
  }

  /** Whether a viewer of one recording needs this message. */
  belongs(msg: LogMsg, recording: string): boolean {
    const storeId = storeOf(msg);
    if (storeId === undefined) return false;
    if (storeId.kind === "Recording") return named(storeId.id) === recording;
    const known = this.#recordings.get(recording);
    return known !== undefined && this.#blueprintsOf(known).includes(named(storeId.id));
  }

  /** The blueprints that go with a recording, of all that its application has. */
  #blueprintsOf(recording: Recording): readonly string[] {
    const { version } = this.#blueprints;
    if (this.#found?.recording === recording && this.#found.version === version) {
      return this.#found.ids;
    }
    const application = recording.info?.applicationId;
    if (application === undefined) return [];
    const own = this.#blueprints.of(recording, named(application), true).all;
    const ids = own.length > 0 ? own : this.#blueprints.latest(named(application)).all;
    this.#found = { recording, version, ids };
    return ids;
  }

  #recording(id: string): Recording {
    if (this.#last?.id === id) return this.#last;
    let recording = this.#recordings.get(id);
    if (recording === undefined) {
      const now = this.date();
      recording = {
        id,
        version: undefined,
        versions: [],
        firstMs: now,
        lastMs: now,
        messages: 0,
        bytes: 0,
        clients: 0,
        boxes: 0,
        forwardedMs: -Infinity,
      };
    } else this.#recordings.delete(id);
    this.#recordings.set(id, recording);
    trim(this.#recordings);
    return this.#last = recording;
  }

  #noteBlueprint(client: number, msg: LogMsg, storeId: StoreId): void {
    this.#applications.note(msg);
    const application = this.#applications.of(storeId);
    if (application === undefined) return;
    this.#blueprints.note(client, application, msg, named(storeId.id), 0);
  }

  #join(source: MessageSource, recording: Recording, isAnnounced: boolean): void {
    const { id: client } = source;
    let recordings = this.#ofClient.get(client);
    if (recordings === undefined) this.#ofClient.set(client, recordings = new Set());
    const { info } = recording;
    if (recordings.has(recording)) {
      if (isAnnounced) this.#blueprints.logs(client, recording, named(info!.applicationId));
      return;
    }
    recordings.add(recording);
    count(recording, source, 1);
    if (info !== undefined) this.#blueprints.logs(client, recording, named(info.applicationId));
    if (recordings.size <= MAX_OF_CLIENT) return;
    const [oldest] = recordings;
    recordings.delete(oldest!);
    count(oldest!, source, -1);
  }

  #leave(source: MessageSource): void {
    for (const recording of this.#ofClient.get(source.id) ?? []) count(recording, source, -1);
    this.#ofClient.delete(source.id);
    this.#blueprints.quit(source.id);
  }
}

function count(recording: Recording, { kind, isForwarded }: MessageSource, one: 1 | -1): void {
  recording.clients += one;
  if (kind === "nats-box" || isForwarded) recording.boxes += one;
}

function trim(map: Map<string, unknown>): void {
  forgetOldest(map, MAX_STORES);
}

function noteVersion(recording: Recording, version: RrdVersion): void {
  if (recording.version === version) return;
  recording.version = version;
  const { versions } = recording;
  const at = versions.findIndex((known) => compareVersions(known, version) <= 0);
  if (at >= 0 && compareVersions(versions[at]!, version) === 0) return;
  versions.splice(at < 0 ? versions.length : at, 0, version);
  versions.length = Math.min(versions.length, MAX_VERSIONS);
}

/** Shortens a name, whatever length a peer has chosen for it. */
function named(text: string): string {
  return shortened(text, MAX_NAME);
}

/** Shortens the texts of an announcement that is too long. */
function bounded(info: StoreInfo, bytes: number): StoreInfo {
  if (bytes <= MAX_ANNOUNCEMENT_BYTES) return info;
  const { applicationId, isOfficialExample, started } = info;
  const storeId = { kind: info.storeId.kind, id: named(info.storeId.id) };
  return {
    applicationId: named(applicationId),
    storeId,
    isOfficialExample,
    started,
    storeSource: { kind: "Unknown" },
  };
}

function summary(recording: Recording, now: number): RecordingSummary {
  const { id, info, versions, firstMs, lastMs, messages, bytes, clients, boxes } = recording;
  const isSent = boxes > 0 && now - lastMs < SILENT_MS || now - recording.forwardedMs < SILENT_MS;
  return {
    id,
    applicationId: info?.applicationId ?? "",
    sdk: versions[0] === undefined ? undefined : rrdVersionText(versions[0]),
    sdkVersions: [...versions],
    source: info === undefined ? "" : sourceName(info.storeSource),
    startedNs: info?.started ?? 0n,
    firstMs,
    lastMs,
    messages,
    bytes,
    live: clients > boxes || isSent,
  };
}

function sourceName(source: StoreSource): string {
  switch (source.kind) {
    case "PythonSdk":
      return `Python ${source.major}.${source.minor}.${source.patch}${source.suffix}`;
    case "RustSdk":
      return `Rust ${source.rustcVersion}`;
    case "CSdk":
      return "C++";
    case "File":
      return "file";
    case "Other":
      return source.name;
    default:
      return source.kind;
  }
}
