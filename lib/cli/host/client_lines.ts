/**
 * What each client logs and how much of it, as log lines.
 *
 * @module
 */
import { addTo, newTally, type RunningTally, type Tally } from "../../base/tally.ts";
import { rrdVersionText } from "../../encoding/rrd_header.ts";
import {
  type MessageSource,
  type SmartMessage,
  sourceText,
} from "../../flow/channel/smart_message.ts";
import type { Log, LogLevel } from "../../base/log.ts";
import { storeOf } from "../../encoding/store_of.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Sink } from "../../sinks/sink.ts";
import { quote, shortened } from "../../base/escape.ts";
import { forgetOldest } from "../../base/forget_oldest.ts";
import { formatBytes, formatDuration, plural } from "../terminal/units.ts";

/** Recordings whose application is remembered: SDKs don't repeat it when they reconnect. */
const MAX_RECORDINGS = 10_000;

/** A longer id is a peer's joke, and would take memory. */
const MAX_ID_LENGTH = 200;

interface ClientTotals extends RunningTally {
  /** When its first message was sent, in monotonic milliseconds. */
  readonly since: number;
  hasRecording?: true;
}

/** A shedding sink that counts, and says who logs what. */
export interface ClientLines extends Sink {
  /** Everything that was received. */
  readonly total: Tally;
  /** Recordings whose application is remembered. */
  readonly remembered: number;
}

/**
 * Writes a line at a client's first recording and one with totals when it leaves.
 *
 * @param log where to
 * @param level at which
 */
export function clientLines(log: Log, level: LogLevel): ClientLines {
  // Bounded by the connections there are: each ends with a quit.
  const clients = new Map<number, ClientTotals>();
  const applications = new Map<string, string>();
  const total = newTally();

  function take({ source, payload, time }: SmartMessage): void {
    let client = clients.get(source.id);
    if (client === undefined) {
      client = { ...newTally(), since: time };
      clients.set(source.id, client);
    }
    if (payload.type === "quit") {
      clients.delete(source.id);
      return sayLeft(source, client, time, payload.error !== undefined);
    }
    const { bytes } = payload.msg.encoded;
    addTo(client, { messages: 1, bytes: bytes.length });
    addTo(total, { messages: 1, bytes: bytes.length });
    const recording = recordingOf(payload.msg);
    if (recording === undefined) return;
    if (payload.msg.kind === "SetStoreInfo") {
      remember(applications, recording, payload.msg.info.applicationId);
    }
    if (client.hasRecording) return;
    client.hasRecording = true;
    sayRecording(source, recording, payload.msg);
  }

  function sayRecording(source: MessageSource, recording: string, msg: LogMsg): void {
    const sdk = rrdVersionText(msg.encoded.header.version);
    const application = applications.get(recording);
    const text = `${sourceText(source)} logs recording ${quote(recording)}` +
      (application === undefined ? "" : ` of application ${quote(application)}`) +
      `, Rerun SDK ${sdk}`;
    const shown = shortened(recording, MAX_ID_LENGTH);
    log.write(level, text, {
      client: sourceText(source),
      recording: shown,
      application,
      sdk,
      kind: "recording",
    });
  }

  function sayLeft(source: MessageSource, client: ClientTotals, time: number, failed: boolean) {
    const { messages, bytes } = client;
    const seconds = Math.max(0, time - client.since) / 1000;
    const text = `${sourceText(source)} ${failed ? "was closed" : "left"}: ` +
      `${plural(messages, "message")}, ${formatBytes(bytes)} in ${formatDuration(seconds)}`;
    // Whoever only looks whether a server is there gets no line.
    const shown = messages === 0 && level === "info" ? "debug" : level;
    log.write(shown, text, {
      client: sourceText(source),
      messages,
      bytes,
      seconds,
      kind: "left",
    });
  }

  return {
    name: "log",
    total,
    get remembered() {
      return applications.size;
    },
    write: (batch) => batch.forEach(take),
    close: () => Promise.resolve(),
  };
}

function recordingOf(msg: LogMsg): string | undefined {
  const storeId = storeOf(msg);
  return storeId?.kind === "Recording" ? storeId.id : undefined;
}

function remember(applications: Map<string, string>, recording: string, application: string): void {
  if (recording.length > MAX_ID_LENGTH) return;
  applications.delete(recording);
  applications.set(recording, shortened(application, MAX_ID_LENGTH));
  forgetOldest(applications, MAX_RECORDINGS);
}
