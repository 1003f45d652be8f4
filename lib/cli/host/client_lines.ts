/**
 * Log lines of each client: what it logs, and how much it was in the end.
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
import { Applications } from "../../stores/applications.ts";
import type { StoreId } from "../../encoding/message_parts.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Sink } from "../../sinks/sink.ts";
import { quote, shortened } from "../../base/escape.ts";
import { forgetOldest } from "../../base/forget_oldest.ts";
import { plural } from "../../base/plural.ts";
import { formatBytes, formatDuration } from "../terminal/units.ts";

/** Longer ids, in characters, are cut: they would take memory. */
const MAX_ID_LENGTH = 200;
/** How many recordings are remembered that others send on; the one told longest ago is told again. */
const MAX_RELAYED = 10_000;

interface ClientTotals extends RunningTally {
  /** When its first message was sent, in monotonic milliseconds. */
  readonly since: number;
  /** The recording that its last message was of. */
  recording?: string;
}

/** A shedding sink that counts, and logs which client logs what. */
export interface ClientLines extends Sink {
  /** Everything that was received. */
  readonly total: Tally;
  /** How many recordings' applications are remembered. */
  readonly remembered: number;
}

/**
 * Writes a line at a client's first recording and one with totals when it leaves. Of what others send on
 * there is a line for each recording: a box of NATS stays for weeks, and a server that forwards connects
 * for each batch.
 *
 * @param log where the lines go
 * @param level level of the lines
 */
export function clientLines(log: Log, level: LogLevel): ClientLines {
  // Bounded by the number of connections, each of which ends with a quit.
  const clients = new Map<number, ClientTotals>();
  const applications = new Applications();
  const relayed = new Map<string, true>();
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
    if (recording.id.length <= MAX_ID_LENGTH) applications.note(payload.msg);
    const before = client.recording;
    if (before === recording.id) return;
    client.recording = shortened(recording.id, MAX_ID_LENGTH);
    const isNew = isRelayed(source) ? isFirstOf(source, client.recording) : before === undefined;
    if (isNew) sayRecording(source, recording, payload.msg);
  }

  function isFirstOf({ box }: MessageSource, recording: string): boolean {
    const key = box === undefined ? recording : `${box}/${recording}`;
    if (relayed.has(key)) return false;
    relayed.set(key, true);
    forgetOldest(relayed, MAX_RELAYED);
    return true;
  }

  /** A lower level for another Rerelay that forwards, which connects for each batch. */
  function levelOf(source: MessageSource): LogLevel {
    return source.isForwarded ? "debug" : level;
  }

  function sayRecording(source: MessageSource, recording: StoreId, msg: LogMsg): void {
    const sdk = rrdVersionText(msg.encoded.header.version);
    const told = applications.of(recording);
    const application = told === undefined ? undefined : shortened(told, MAX_ID_LENGTH);
    const does = source.isForwarded ? "forwards" : "logs";
    const text = `${sourceText(source)} ${does} recording ${quote(recording.id)}` +
      (application === undefined ? "" : ` of application ${quote(application)}`) +
      `, Rerun SDK ${sdk}`;
    const shown = shortened(recording.id, MAX_ID_LENGTH);
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
    // A client that sent nothing only looked whether a server is there.
    const shown = messages === 0 && level === "info" ? "debug" : levelOf(source);
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

/** Whether messages come from another server, and not from the SDK itself. */
function isRelayed({ kind, isForwarded }: MessageSource): boolean {
  return kind === "nats-box" || isForwarded === true;
}

function recordingOf(msg: LogMsg): StoreId | undefined {
  const storeId = storeOf(msg);
  return storeId?.kind === "Recording" ? storeId : undefined;
}
