/**
 * The boxes that send by NATS, with their recordings, as the fleet view shows them.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { forgetOldest } from "../base/forget_oldest.ts";
import { SILENT_MS } from "../stores/recordings.ts";

/** A recording of one box. */
export interface FleetRecording {
  /** The recording id as the SDK chose it. */
  readonly id: string;
  /** Empty for one that was never announced. */
  readonly applicationId: string;
  /** How many log messages came of it. */
  readonly messages: number;
  /** Their bytes. */
  readonly bytes: number;
  /**
   * How old its last messages were when they came, in seconds since they were written on the box.
   */
  readonly lagSec: number;
  /** For how long it has sent nothing, in seconds, as far as the stream was read. */
  readonly silentSec: number;
}

/** A box that was heard of. */
export interface FleetBox {
  /** Its name. */
  readonly box: string;
  /** Counts up in the order in which boxes were heard of for the first time. */
  readonly order: number;
  /** Log messages that came of it, of all its recordings. */
  readonly messages: number;
  /** Their bytes. */
  readonly bytes: number;
  /** The largest lag of its recordings of the last minute, in seconds. */
  readonly lagSec: number;
  /** For how long it has sent nothing, in seconds, as far as the stream was read. */
  readonly silentSec: number;
  /** Its recordings, the one heard of last first. */
  readonly recordings: readonly FleetRecording[];
}

/** What one message of the stream tells of a box. */
export interface FleetNews {
  readonly box: string;
  readonly recording: string;
  readonly applicationId: string;
  readonly messages: number;
  readonly bytes: number;
  readonly lagSec: number;
  /** How long it has been in the stream, in milliseconds. */
  readonly ageMs: number;
}

interface Recording {
  readonly box: Box;
  readonly id: string;
  applicationId: string;
  messages: number;
  bytes: number;
  lagSec: number;
  /** When the stream got its last message, by the monotonic clock. */
  lastMs: number;
}

interface Box {
  readonly name: string;
  readonly order: number;
  messages: number;
  bytes: number;
  lastMs: number;
  /** By name; the one heard of last is at the end. */
  readonly recordings: Map<string, Recording>;
}

/** A box or a recording of which nothing came for so long, in seconds, counts as gone. */
export const SILENT_SEC = SILENT_MS / 1000;

/** How many boxes are remembered; those silent for longest are forgotten first. */
const MAX_BOXES = 100_000;
const MAX_RECORDINGS = 50_000;

/** A list of all of them holds for so many times as long as it took to make. */
const LIST_SHARE = 20;
/** But no longer than this, in milliseconds: the program may have stood still while it made the list. */
const LIST_MAX_MS = 10_000;

/** Remembers boxes and their recordings. */
export class NatsFleet {
  readonly #now: Clock["now"];
  /** By name; the one heard of last is at the end. */
  readonly #boxes = new Map<string, Box>();
  readonly #recordings = new Map<Recording, Recording>();
  #heard = 0;
  /**
   * How far what is read is behind, in milliseconds: who is silent is seen from there. So boxes that log
   * are live while a late reader catches up, and those that ended long ago are not once it has.
   */
  behindMs = 0;
  /** The last list of all, which holds for a while. */
  #listed: { readonly boxes: readonly FleetBox[]; readonly until: number } | undefined;

  /** @param now monotonic milliseconds */
  constructor(now: Clock["now"]) {
    this.#now = now;
  }

  /** Takes note of a message of a recording. */
  came(news: FleetNews): void {
    const { box: name, recording: id, applicationId, messages, bytes, lagSec, ageMs } = news;
    const lastMs = this.#now() - ageMs;
    const box = this.#box(name);
    const recording = box.recordings.get(id) ??
      { box, id, applicationId, messages: 0, bytes: 0, lagSec, lastMs };
    for (const counted of [box, recording]) {
      counted.messages += messages;
      counted.bytes += bytes;
      counted.lastMs = lastMs;
    }
    recording.lagSec = lagSec;
    if (applicationId !== "") recording.applicationId = applicationId;
    box.recordings.delete(id);
    box.recordings.set(id, recording);
    this.#recordings.delete(recording);
    this.#recordings.set(recording, recording);
    for (const [gone] of forgetOldest(this.#recordings, MAX_RECORDINGS)) {
      gone.box.recordings.delete(gone.id);
    }
  }

  /**
   * All boxes, the one heard of first comes first. A list that took long to make holds for longer, so
   * that receiving never waits for pages, however many ask for it.
   */
  get boxes(): readonly FleetBox[] {
    const now = this.#now();
    if (this.#listed !== undefined && now < this.#listed.until) return this.#listed.boxes;
    const read = now - this.behindMs;
    const boxes = Array.from(this.#boxes.values(), (box) => boxJson(box, read))
      .sort((a, b) => a.order - b.order);
    const end = this.#now();
    this.#listed = { boxes, until: end + Math.min(LIST_SHARE * (end - now), LIST_MAX_MS) };
    return boxes;
  }

  /**
   * How many boxes were heard of, how many of them and of their recordings sent something in the last
   * minute, and the largest lag among these recordings.
   */
  get summary(): Record<"boxes" | "live" | "recordings" | "lagSec", number> {
    const since = this.#now() - this.behindMs - SILENT_MS;
    let [live, recordings, lagSec] = [0, 0, 0];
    for (const { lastMs } of this.#boxes.values()) if (lastMs > since) live++;
    for (const recording of this.#recordings.keys()) {
      if (recording.lastMs <= since) continue;
      recordings++;
      lagSec = Math.max(lagSec, recording.lagSec);
    }
    return { boxes: this.#boxes.size, live, recordings, lagSec };
  }

  #box(name: string): Box {
    const known = this.#boxes.get(name);
    const box = known ??
      { name, order: ++this.#heard, messages: 0, bytes: 0, lastMs: 0, recordings: new Map() };
    this.#boxes.delete(name);
    this.#boxes.set(name, box);
    for (const [, gone] of forgetOldest(this.#boxes, MAX_BOXES)) {
      for (const recording of gone.recordings.values()) this.#recordings.delete(recording);
    }
    return box;
  }
}

function boxJson(
  { name, order, messages, bytes, lastMs, recordings }: Box,
  readMs: number,
): FleetBox {
  const silent = (ms: number) => Math.max(0, readMs - ms) / 1000;
  let lagSec = 0;
  const listed: FleetRecording[] = [];
  for (const { id, applicationId, messages, bytes, lagSec: lag, lastMs } of recordings.values()) {
    const silentSec = silent(lastMs);
    if (silentSec < SILENT_SEC) lagSec = Math.max(lagSec, lag);
    listed.push({ id, applicationId, messages, bytes, lagSec: lag, silentSec });
  }
  listed.reverse();
  return {
    box: name,
    order,
    messages,
    bytes,
    lagSec,
    silentSec: silent(lastMs),
    recordings: listed,
  };
}
