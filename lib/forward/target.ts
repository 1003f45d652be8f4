/**
 * The interface of targets that recordings are forwarded to: a new kind of target is one file that
 * implements it.
 *
 * @module
 */
import { RerelayError } from "../base/errors.ts";
import type { LogMsg } from "../encoding/log_msg.ts";

/** A logged message, and its place on the disk of the box. */
export interface ForwardedMessage {
  /**
   * Counts the logged messages of its file from 0, without those that the file repeats at its
   * beginning.
   */
  readonly number: number;
  /** The message as it stands in the file, with its encoded bytes and the header that these are under. */
  readonly msg: LogMsg;
  /** The application that its recording belongs to; empty where that was never announced. */
  readonly application: string;
  /** The id of its recording. */
  readonly recording: string;
}

/**
 * Messages of one file in their order. Their numbers grow, and may leave out messages that are sent
 * in another batch.
 */
export interface ForwardBatch {
  /** The random id of the file, which no other file of any box has. */
  readonly file: string;
  /** At least one message, in the order of the file. */
  readonly messages: readonly ForwardedMessage[];
  /** Length of all messages, encoded. */
  readonly bytes: number;
  /**
   * How long the first message has waited since it was written, in milliseconds, if that is known.
   */
  readonly waitedMs?: number;
  /**
   * May be called by a target that sends the batch in pieces, whenever one of them was acknowledged: the
   * target works then, however long the others take.
   */
  readonly onPiece?: () => void;
}

/** How much is gathered for one `send`, and how many calls of `send` may be under way. */
export interface BatchLimits {
  /** Length of the messages of one batch, in bytes; a larger message is a batch of its own. */
  readonly maxBytes: number;
  /**
   * For a target that sends each recording by itself: a batch is full once it has so many bytes for each
   * of its recordings, in bytes; default: `maxBytes`, for all of them together.
   */
  readonly maxRecordingBytes?: number;
  /** How long a batch that is not full waits for more, in milliseconds. */
  readonly maxWaitMs: number;
  /** Batches under way at once, each of another file: of one file there is never more than one. */
  readonly maxUnderWay: number;
}

/** What may be asked of both kinds of targets. */
export interface CheckedTarget {
  /**
   * Connects, and asks the other side whether it would take something; called when forwarding begins. The
   * first message may be hours away, and a wrong password would be seen only then. It is tried again after
   * any error, with back-off. Left out, nothing is asked.
   *
   * @param signal ends the waiting, with the signal's reason
   * @throws {TargetUnfit} if somebody has to change something
   */
  check?(signal: AbortSignal): Promise<void>;
}

/** A target that takes messages, as gRPC and NATS do. */
export interface MessageTarget extends CheckedTarget {
  /** Tells the kinds of targets apart. */
  readonly kind: "messages";
  /** Its address as logs show it, without user names, passwords and tokens. */
  readonly name: string;
  /** Limits of its batches. */
  readonly limits: BatchLimits;
  /**
   * Sends a batch; resolves once the other side has acknowledged all of it, in the way of this kind
   * of target.
   *
   * The forwarder tries the same batch again after any error that is not a {@linkcode TargetRefused},
   * with back-off: connections are made, and made anew, by `send` itself.
   *
   * @param batch the messages to send
   * @param signal ends the waiting, with the signal's reason; a target that does not end is left alone
   * after 5 s
   * @throws {TargetRefused} if this batch will never be accepted, or no batch will
   */
  send(batch: ForwardBatch, signal: AbortSignal): Promise<void>;
  /** Ends its connections. */
  close(): Promise<void>;
}

/** A file that is closed and has its final name and, if it can have one, its chunk index. */
export interface ClosedFile {
  /** Its random id. */
  readonly id: string;
  /** Where it is. */
  readonly path: string;
  /** Its path below the folder that recordings are saved in. */
  readonly name: string;
  /** Its length, in bytes. */
  readonly bytes: number;
}

/** A target that takes closed files as a whole, as object storage does. */
export interface FileTarget extends CheckedTarget {
  /** Tells the kinds of targets apart. */
  readonly kind: "files";
  /** Its address as logs show it, without keys. */
  readonly name: string;
  /** Most uploads at a time. */
  readonly maxUnderWay: number;
  /**
   * Uploads a file; resolves once the object was compared with what was sent. Errors mean the same
   * as those of {@linkcode MessageTarget.send}.
   */
  sendFile(file: ClosedFile, signal: AbortSignal): Promise<void>;
  /** Ends its connections. */
  close(): Promise<void>;
}

/** Either kind of target. */
export type ForwardTarget = MessageTarget | FileTarget;

/** A refusal that trying again would not change. */
export class TargetRefused extends RerelayError {
  /** Tells it from other errors. */
  override readonly name = "TargetRefused";

  /**
   * Makes the error.
   *
   * @param message who refuses and why, with the option or step that helps
   * @param scope `"batch"`: these messages come again in halves, and one that is refused alone is counted
   * and left out; a file is counted and left out. `"target"`: nothing is sent to the target until the
   * program is started again
   */
  constructor(message: string, readonly scope: "batch" | "target") {
    super(message);
  }
}

/**
 * The target can't work before somebody changes something, such as a password or a missing bucket: it is
 * tried again as after any error, and logged as an error.
 */
export class TargetUnfit extends RerelayError {
  /** Tells it from other errors. */
  override readonly name = "TargetUnfit";
}
