/** Messages for viewers: real ones of captures, and made ones that say who they are. */
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { Tuid } from "../../lib/encoding/tuid.ts";
import type { SmartMessage } from "../../lib/flow/channel/smart_message.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { viewerHub } from "../../lib/viewers/hub.ts";
import type { Viewer, ViewerHub, ViewerHubOptions } from "../../lib/viewers/types.ts";
import { copyOut } from "../../lib/flow/channel/copy_out.ts";
import { arrowMsg, concat, Entries, rrdHeader, rrdMessage } from "../encoding/rrd_builder.ts";
import { capturePackets, fixture } from "../fixtures.ts";
import { header } from "../sinks/messages.ts";

/** A hub that takes chunks whose Arrow data is none. */
export function madeHub(options: ViewerHubOptions = {}): ViewerHub {
  return viewerHub({ relayCorrupt: true, ...options });
}

/** A message on its way to a sink. */
export function smart(msg: LogMsg, id = 1): SmartMessage {
  return { source: { kind: "tcp-client", id }, payload: { type: "msg", msg }, time: 0 };
}

/** All messages of a capture, decoded. */
export function captured(name: string): LogMsg[] {
  return capturePackets(name).flatMap((packet) => new RrdDecoder().push(packet).items);
}

/** A chunk of this many bytes, at least about 110, with a time, which its chunk id tells from others. */
export function chunk(number: number, size: number, id = "rec"): LogMsg {
  const time = new Entries([[{ name: "frame", typ: "Sequence" }, number]]);
  const message = (data: number) => rrdMessage(arrowMsg(time, { id, data, inc: BigInt(number) }));
  const rest = size - message(1).length + 1;
  // The length before longer data takes more bytes.
  const data = Math.max(1, rest - (rest > 65_538 ? 3 : rest > 256 ? 1 : 0));
  const { items, error } = new RrdDecoder().push(concat(rrdHeader(), message(data)));
  if (error !== undefined) throw error;
  const [msg] = items;
  // On a buffer of its own.
  return copyOut([msg!])[0]!;
}

/** A static chunk: the same Arrow data, whose entity and components real code reads, in each. */
export function staticChunk(number: number, recording: string): LogMsg {
  const real = REAL_STATIC ??= captured("0.22.1-mixed").find((msg) =>
    msg.kind === "ArrowMsg" && msg.timepointMax?.length === 0
  ) as ArrowMsg;
  const id = { kind: "Recording", id: recording } as const;
  const { arrow, encoded } = real;
  return new ArrowMsg(id, new Tuid(1n, BigInt(number)), [], undefined, arrow, encoded);
}
let REAL_STATIC: ArrowMsg | undefined;

/** Announces a store. */
export function announcement(
  id: string,
  { kind = "Recording", applicationId = "app" }: {
    kind?: "Recording" | "Blueprint";
    applicationId?: string;
  } = {},
): LogMsg {
  return {
    kind: "SetStoreInfo",
    rowId: new Tuid(0n, 0n),
    info: {
      applicationId,
      storeId: { kind, id },
      isOfficialExample: false,
      started: 0n,
      storeSource: { kind: "PythonSdk", major: 3, minor: 11, patch: 7, suffix: "" },
    },
    encoded: { header: header([0, 22, 1]), bytes: new Uint8Array(300) },
  };
}

/** The call that a viewer left waiting. */
const asked = new WeakMap<Viewer, ReturnType<Viewer["next"]>>();

/** What a viewer is given until it would have to wait. */
export async function taken(viewer: Viewer, maxBytes = 2 ** 20): Promise<LogMsg[]> {
  const all: LogMsg[] = [];
  for (;;) {
    const next = asked.get(viewer) ?? viewer.next(maxBytes);
    asked.set(viewer, next);
    const msgs = await Promise.race([next, idle()]);
    if (msgs === "idle") return all;
    asked.delete(viewer);
    if (msgs === undefined) return all;
    all.push(...msgs);
  }
}

/** Comes after all that is ready. */
function idle(): Promise<"idle"> {
  return new Promise((resolve) => setTimeout(() => resolve("idle"), 0));
}

/** The WebSocket messages that the real server sent after a capture. */
export function realFrames(name: string): Uint8Array<ArrayBuffer>[] {
  const all = fixture(`viewers/${name}.ws.bin`);
  const view = new DataView(all.buffer);
  const frames: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < all.length;) {
    const length = view.getUint32(at, true);
    frames.push(all.subarray(at + 4, at += 4 + length));
  }
  return frames;
}
