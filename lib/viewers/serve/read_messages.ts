/**
 * Gives viewers 0.23 and later what the hub has, by gRPC's `ReadMessages`, and web viewers by
 * gRPC-web.
 *
 * @module
 */
import { checkCallable, checkOptions } from "../../base/check_arguments.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";
import { HubClosed, TooManyViewers } from "../../base/errors.ts";
import { type Log, silentLog } from "../../base/log.ts";
import { isBridgeable } from "../../bridge/mod.ts";
import { RecordingStarts } from "../../bridge/recording_start.ts";
import { isReadable, readFrame } from "../../comms/grpc/message_proxy.ts";
import type { AnswerInfo } from "../../comms/grpc/service.ts";
import { GrpcError, STATUS, type Status } from "../../comms/grpc/status.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { ProtobufDialect } from "../../encoding/protobuf/protobuf_store_info.ts";
import { checkGuard, type Guard, TOKEN_WRONG, viewerGuard } from "./guard.ts";
import { checkHub, wishOf } from "./join.ts";
import { BROWSER_PATIENCE, STALL_NAMES, type StallOptions, StallWatch } from "./stall_watch.ts";
import type { Viewer, ViewerGone, ViewerHub } from "../types.ts";

/** Options of {@linkcode messageReaders}; all may be left out. */
export interface MessageReadersOptions extends StallOptions {
  /** Who may ask; default this machine alone. */
  readonly guard?: Guard;
  /** Where it is logged that a viewer is not given what some SDKs logged. */
  readonly log?: Log;
}

/** Who makes a call. */
export interface ReaderPeer {
  /** Absent where the transport has no addresses. */
  readonly addr?: NetAddr;
  /** Whether it is a page, which reads by gRPC-web. */
  readonly isBrowser?: boolean;
}

/** Answers viewers' `ReadMessages`. */
export interface MessageReaders {
  /**
   * Answers one call: first the history, then what comes; it ends well once the hub is closed.
   *
   * @param info of the call
   * @param peer who makes it
   * @returns frames in parts
   * @throws {GrpcError} to refuse it, because of who asks, or because there is no room
   */
  read(info: AnswerInfo, peer: ReaderPeer): AsyncIterable<readonly Uint8Array[]>;
  /**
   * Refuses a call of somebody who may not read here; `read` does that by itself.
   *
   * @param info of a call that reads something else, such as tables
   * @throws {GrpcError} to refuse it
   */
  admit(info: AnswerInfo): void;
  /**
   * How many messages readers were not given, because their viewers do not understand the SDK's
   * data.
   */
  readonly otherData: number;
}

/** Bytes that are taken from the hub at once. */
const SLICE_BYTES = 256 * 1024;

/** Bytes that are handed on at once to a stream that names no number, so that progress can be measured. */
const PIECE_BYTES = 64 * 1024;

/** What is left of a part of a message's frame. */
interface Part {
  bytes: Uint8Array;
  readonly isLast: boolean;
}

const TOKEN_NEEDED = "A token is needed, in the metadata (authorization: Bearer …) or the page's " +
  "cookie (--viewer-token-file): native viewers have no way to send one, so open the page";
/** What a reader is told when it is cut off. */
const FAREWELL: Readonly<Partial<Record<ViewerGone, readonly [Status, string]>>> = {
  stalled: [STATUS.RESOURCE_EXHAUSTED, "Stalled: this viewer took nothing for too long"],
  closed: [STATUS.UNAVAILABLE, "The server stopped before all was read"],
  failed: [STATUS.INTERNAL, "The server failed to serve this viewer"],
};

/**
 * Answers `ReadMessages` from a hub: store infos, data of blueprints, activations and static data first,
 * as viewers 0.23 and later need it.
 *
 * What SDK 0.17 to 0.22 logged they get in today's form; what older ones did is left out, and counted.
 * Viewers of 0.22, which call an older service, get what SDK 0.17 to 0.22 sent.
 *
 * @param hub where viewers join
 * @param options who may ask, and for how long a viewer may take nothing
 * @throws {TypeError} if there is no hub, or no such option
 *
 * @example
 * ```ts
 * import { memoryTcp, Server, silentLog } from "@rerelay/server/core";
 * import { messageReaders, viewerHub } from "@rerelay/server/viewers";
 * import { assertEquals } from "@std/assert";
 *
 * const hub = viewerHub();
 * const readers = messageReaders(hub);
 * // Who may not read messages may not read tables either.
 * const doors = { readMessages: readers.read, mayReadTables: readers.admit };
 * await using server = await Server.listen(memoryTcp(), { log: silentLog, doors });
 * assertEquals(server.addr.port, 9876); // SDKs and viewers come to it
 * await hub.close();
 * ```
 */
export function messageReaders(
  hub: ViewerHub,
  options: MessageReadersOptions = {},
): MessageReaders {
  checkHub("messageReaders", hub);
  checkOptions("messageReaders", options, { ...STALL_NAMES, guard: true, log: true });
  checkGuard("messageReaders", options.guard);
  checkCallable(options);
  const { guard = viewerGuard(), log = silentLog } = options;
  const stalls = new StallWatch(options, hub);
  let otherData = 0;

  const join = ({ method: { dialect }, headers }: AnswerInfo, { addr }: ReaderPeer): Viewer => {
    const wish = wishOf((name) => headers.get(`rerelay-${name}`));
    if (typeof wish === "string") {
      throw new GrpcError(STATUS.INVALID_ARGUMENT, `rerelay-${wish}`);
    }
    const who = addr === undefined ? "a viewer" : `the viewer at ${formatAddr(addr)}`;
    let isTold = false;
    return hub.join({
      transport: "grpc",
      order: "kinds",
      ...wish,
      accepts: ({ encoded: { header } }) =>
        isReadable(header, dialect) || dialect === "v1alpha1" && isBridgeable(header),
      onLeftOut() {
        otherData++;
        if (isTold) return;
        isTold = true;
        const text = `Messages of ${other(dialect)} are left out for ${who}, which can't read them`;
        log.write("info", text, { viewer: who, kind: "other data" });
      },
      ...(addr === undefined ? {} : { addr: formatAddr(addr) }),
    });
  };

  return {
    read(info, peer) {
      checkPeer(guard, info.headers);
      const patience = peer.isBrowser ? BROWSER_PATIENCE : 1;
      return framesOf(joined(() => join(info, peer)), hub, info, { stalls, patience });
    },
    admit({ headers }) {
      checkPeer(guard, headers);
    },
    get otherData() {
      return otherData;
    },
  };
}

function other(dialect: ProtobufDialect): string {
  return dialect === "v0" ? "SDK 0.23 and later, or 0.16 and older," : "SDK 0.16 and older";
}

function joined(join: () => Viewer): Viewer {
  try {
    return join();
  } catch (error) {
    if (error instanceof TooManyViewers) {
      throw new GrpcError(STATUS.RESOURCE_EXHAUSTED, error.message, { cause: error });
    }
    if (!(error instanceof HubClosed)) throw error;
    throw new GrpcError(STATUS.UNAVAILABLE, error.message, { cause: error });
  }
}

/** Checks host, origin and token of a call, as for requests of HTTP/1.1. */
function checkPeer(guard: Guard, fields: ReadonlyMap<string, string>): void {
  const host = fields.get(":authority") ?? fields.get("host") ?? "localhost";
  const url = `http://${host}/`;
  const headers = new Headers();
  for (const name of ["origin", "authorization", "cookie", "sec-fetch-site", "sec-fetch-mode"]) {
    const value = fields.get(name);
    if (value !== undefined) headers.set(name, value);
  }
  if (!/^[^\s@/?#\\]+$/.test(host) || !URL.canParse(url)) {
    throw new GrpcError(STATUS.INVALID_ARGUMENT, "The call names no host that could be asked for");
  }
  const request = { url, headers };
  const refusal = guard.refuse(request);
  if (refusal !== undefined) {
    const text = refusal.status === 421
      ? "This host name is not served here (--allow-host NAME, option allowHosts)"
      : "Pages of this origin may not read here (--allow-origin, option allowOrigins)";
    throw new GrpcError(STATUS.PERMISSION_DENIED, text);
  }
  if (guard.refuseToken(request, true) === undefined) return;
  throw new GrpcError(
    STATUS.UNAUTHENTICATED,
    headers.has("authorization") ? TOKEN_WRONG : TOKEN_NEEDED,
  );
}

async function* framesOf(
  viewer: Viewer,
  hub: ViewerHub,
  { method: { dialect }, signal, progress }: AnswerInfo,
  { stalls, patience }: { readonly stalls: StallWatch; readonly patience: number },
): AsyncGenerator<readonly Uint8Array[], undefined> {
  const waiting: Part[] = [];
  const starts = new RecordingStarts();
  const given = (msg: LogMsg) =>
    dialect === "v1alpha1" ? starts.withStart(msg, hub.current(msg)) : [msg];
  let isInMessage = false;
  const transfer = {
    patience,
    addr: viewer.options.addr,
    waits: false,
    given: 0,
    get taken() {
      return progress?.sentBytes ?? this.given;
    },
    cut() {
      // A viewer that is cut off gets only the rest of the message that it has begun to take, so
      // that it can be told why; everything else is dropped.
      const whole = isInMessage ? waiting.findIndex(({ isLast }) => isLast) + 1 : 0;
      waiting.length = whole;
      viewer.close("stalled");
    },
  };
  const leave = () => viewer.close("left");
  signal.addEventListener("abort", leave);
  if (signal.aborted) leave();
  const unwatch = stalls.add(transfer);
  try {
    while (await fill(waiting, viewer, given, dialect)) {
      while (waiting.length > 0) {
        transfer.waits = true;
        const next = nextPieces(waiting, progress?.aheadBytes);
        isInMessage = next.isInMessage;
        yield next.pieces;
        transfer.waits = false;
        transfer.given++;
      }
      if (viewer.gone !== undefined) break;
    }
    const farewell = viewer.gone === undefined ? undefined : FAREWELL[viewer.gone];
    if (farewell !== undefined) throw new GrpcError(...farewell);
  } finally {
    unwatch();
    signal.removeEventListener("abort", leave);
    viewer.close(signal.aborted ? "left" : "closed");
  }
}

/**
 * Adds the frames of the next messages.
 *
 * @returns whether there were any
 */
async function fill(
  waiting: Part[],
  viewer: Viewer,
  given: (msg: LogMsg) => readonly LogMsg[],
  dialect: ProtobufDialect,
): Promise<boolean> {
  const msgs = await viewer.next(SLICE_BYTES);
  for (const msg of msgs ?? []) {
    const frames = given(msg).map((each) => readFrame(each, dialect));
    if (!frames.every((frame) => typeof frame !== "string")) {
      viewer.options.onLeftOut?.();
      continue;
    }
    const frame = frames.flat();
    viewer.sent(1, frame.reduce((sum, { length }) => sum + length, 0));
    frame.forEach((bytes, i) => waiting.push({ bytes, isLast: i === frame.length - 1 }));
  }
  return msgs !== undefined;
}

/** Takes so many bytes, if there are as many: small parts together, of a large one a piece. */
function nextPieces(
  waiting: Part[],
  most = PIECE_BYTES,
): { readonly pieces: Uint8Array[]; readonly isInMessage: boolean } {
  const pieces: Uint8Array[] = [];
  let left = most;
  let whole = 0;
  let isInMessage = false;
  for (; whole < waiting.length && left > 0; whole++) {
    const part = waiting[whole]!;
    const { bytes } = part;
    isInMessage = bytes.length > left || !part.isLast;
    pieces.push(bytes.length > left ? bytes.subarray(0, left) : bytes);
    if (bytes.length > left) {
      part.bytes = bytes.subarray(left);
      break;
    }
    left -= bytes.length;
  }
  waiting.splice(0, whole);
  return { pieces, isInMessage };
}
