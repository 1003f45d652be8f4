/**
 * A target that is another Rerelay, or a server of Rerun 0.24 and later, over gRPC.
 *
 * @module
 */
import { checkGiven, checkOptions, hasMethods, type OptionNames } from "../base/check_arguments.ts";
import { checkPort, checkPositive, checkText } from "../base/check_options.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import type { GrpcLink } from "../adapters/tcp/grpc_link.ts";
import { openGrpcLink } from "../adapters/tcp/node_grpc.ts";
import { Bridge } from "../bridge/bridge.ts";
import { withStart } from "../bridge/recording_start.ts";
import { formatAddr } from "../base/net_addr.ts";
import { untilAborted } from "../base/until_aborted.ts";
import { reason, RerelayError } from "../base/errors.ts";
import { readFrame } from "../comms/grpc/message_proxy.ts";
import { GrpcError, STATUS } from "../comms/grpc/status.ts";
import type { WriteClient } from "../comms/grpc/write_client.ts";
import { withChunkId } from "../encoding/protobuf/with_chunk_id.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { isNewProtobuf } from "../encoding/rrd/same_encoding.ts";
import { sentMessage } from "./_sent_message.ts";
import type { ForwardBatch, ForwardedMessage, MessageTarget } from "./target.ts";
import { isRefusal, needsChange } from "./grpc_refusal.ts";
import { TargetRefused, TargetUnfit } from "./target.ts";
import { plural } from "../base/plural.ts";

/** Where the server is. */
export interface GrpcTargetOptions {
  /** Its name or address. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** How long the server may neither read nor answer, in milliseconds; default 20,000. */
  readonly timeoutMs?: number;
  /**
   * Told of what is sent: that of `serve`, where servers may forward to each other, so that what comes
   * back is left out; default nobody.
   */
  readonly known?: { sent(msg: LogMsg): void };
}

const NAMES: OptionNames<GrpcTargetOptions> = {
  ...{ hostname: true, port: true, timeoutMs: true, known: true },
};

/** Most bytes of one call, unless a single message is longer. */
const MAX_CALL_BYTES = 4 * 1024 * 1024;
const MAX_WAIT_MS = 1000;
/** Most calls at once, each with messages of another file. */
const MAX_CALLS = 8;
const TIMEOUT_MS = 20_000;
/** A server that is running accepts a connection within this time, in milliseconds. */
const CONNECT_MS = 5000;
/**
 * Asks a Rerelay to answer only once the messages are on its disk; other servers answer when they
 * have them in memory.
 */
const METADATA = [["rerelay-ack", "synced"]] as const;

/**
 * Sends by gRPC, in today's form: one `WriteMessages` call for each batch, whose answer acknowledges it.
 *
 * A Rerelay answers when it has the messages on its disk; a server of Rerun, when it has them in
 * memory.
 *
 * @param options which server
 * @throws {TypeError} if there is no such option
 * @throws {RangeError} if one is out of its range
 *
 * @example
 * ```ts
 * import { grpcTarget } from "@rerelay/server/forward";
 * import { assertEquals } from "@std/assert";
 *
 * const target = grpcTarget({ hostname: "example.com", port: 9876 });
 * assertEquals(target.name, "rerun+http://example.com:9876/proxy");
 * await target.close();
 * ```
 */
export function grpcTarget(options: GrpcTargetOptions): MessageTarget {
  checkOptions("grpcTarget", options, NAMES);
  checkText("hostname", options.hostname);
  checkPort(options.port);
  if (options.timeoutMs !== undefined) checkPositive("timeoutMs", options.timeoutMs);
  const { known } = options;
  const isKnown = known === undefined || hasMethods(known, "sent");
  checkGiven("grpcTarget", "known, the KnownMessages of serve", isKnown, known);
  return new GrpcTarget(options);
}

/** The name of a target that is a server, by its address. */
export function serverName(server: GrpcTargetOptions): string {
  return `rerun+http://${formatAddr(server)}/proxy`;
}

class GrpcTarget implements MessageTarget {
  readonly kind = "messages";
  readonly name: string;
  readonly limits = { maxBytes: MAX_CALL_BYTES, maxWaitMs: MAX_WAIT_MS, maxUnderWay: MAX_CALLS };
  readonly #options: GrpcTargetOptions;
  /** One bridge for all files, since what it knows about names and schemas serves all of them. */
  readonly #bridge = new Bridge({ reusesMemory: false, sharesData: true });
  #link: Promise<GrpcLink> | undefined;

  constructor(options: GrpcTargetOptions) {
    this.#options = options;
    this.name = serverName(options);
  }

  /** Only connects: a call without messages would be a client there that logged nothing. */
  async check(signal: AbortSignal): Promise<void> {
    const { hostname, port } = this.#options;
    const opening = openGrpcLink(hostname, port, CONNECT_MS);
    try {
      await untilAborted(signal, opening);
    } finally {
      opening.then((link) => link.destroy(), () => {}); // an error was thrown above
    }
  }

  async send(
    { file, messages }: Pick<ForwardBatch, "file" | "messages">,
    signal: AbortSignal,
  ): Promise<void> {
    const frames = messages.flatMap((message) => this.#frames(file, message));
    const link = await this.#connected();
    signal.throwIfAborted();
    let call: WriteClient | undefined;
    try {
      call = link.begin(METADATA);
      await this.#whileAnswering(call, sent(call, frames), signal);
    } catch (error) {
      if (signal.aborted) {
        call?.cancel();
        throw error;
      }
      if (isRefusal(error)) throw new TargetRefused(`it refuses it: ${error.message}`, "batch");
      // A server that refuses one call still serves the others.
      if (!(error instanceof GrpcError) || error.status !== STATUS.RESOURCE_EXHAUSTED) {
        this.#drop(link);
      }
      const told = link.explain(error);
      if (!needsChange(error)) throw told;
      throw new TargetUnfit(`${this.name}: ${reason(told)}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    (await link?.catch(() => undefined))?.destroy();
  }

  /** One, or two; the same when it is tried again. */
  #frames(file: string, message: ForwardedMessage): readonly (readonly Uint8Array[])[] {
    const { msg } = message;
    const { header, bytes } = msg.encoded;
    const { major, minor } = header.version;
    if (!isNewProtobuf(header) && major === 0 && minor < 17) {
      throw new TargetRefused(
        `SDK 0.${minor} logs tables, which have no form of today; rrd replay --to HOST:PORT sends ` +
          "them to a server of that time",
        "batch",
      );
    }
    const form = sentMessage(file, message, this.#bridge.bridge(msg));
    return withStart(msg, form).map((each) => {
      const sent = withChunkId(each);
      // Before it is sent, since it may come back before it is acknowledged.
      this.#options.known?.sent(sent);
      const frame = readFrame(sent, "v1alpha1");
      if (typeof frame !== "string") return frame;
      throw new TargetRefused(
        `gRPC has no form for it (${frame}, ${plural(bytes.length, "byte")})`,
        "batch",
      );
    });
  }

  async #connected(): Promise<GrpcLink> {
    const known = await this.#link;
    if (known?.isOpen) return known;
    const { hostname, port } = this.#options;
    if (known !== undefined) this.#drop(known);
    const link = this.#link ??= openGrpcLink(hostname, port, CONNECT_MS);
    try {
      return await link;
    } catch (error) {
      if (this.#link === link) this.#link = undefined;
      throw error;
    }
  }

  #drop(link: GrpcLink): void {
    this.#link = undefined;
    link.destroy();
  }

  /** Waits for the answer while bytes are sent, and for `timeoutMs` when none are. */
  async #whileAnswering(call: WriteClient, answer: Promise<void>, signal: AbortSignal) {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const late = Promise.withResolvers<never>();
    let [queued, since] = [Infinity, SYSTEM_CLOCK.now()];
    const look = () => {
      if (call.queuedBytes !== queued) [queued, since] = [call.queuedBytes, SYSTEM_CLOCK.now()];
      if (SYSTEM_CLOCK.now() - since < timeoutMs) return;
      late.reject(new RerelayError(`it has not answered for ${timeoutMs / 1000} s`));
    };
    const stop = () => late.reject(signal.reason);
    const stopLooking = SYSTEM_CLOCK.every(timeoutMs / 10, look);
    signal.addEventListener("abort", stop);
    try {
      await Promise.race([answer, late.promise]);
    } finally {
      answer.catch(() => {}); // its outcome was reported before
      stopLooking();
      signal.removeEventListener("abort", stop);
    }
  }
}

async function sent(call: WriteClient, frames: readonly (readonly Uint8Array[])[]): Promise<void> {
  for (const frame of frames) await call.send(frame);
  await call.finish();
}
