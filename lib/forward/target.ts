/**
 * Where recordings travel to, as the forwarder needs it: a new kind of place is one file that has this.
 *
 * @module
 */
import { RerelayError } from "../base/errors.ts";
import type { LogMsg } from "../encoding/log_msg.ts";

/** A logged message, and its place on the disk of the box. */
export interface ForwardedMessage {
  /** Counts the logged messages of its file from 0, those that the file only begins with left out. */
  readonly number: number;
  /** The message as it stands in the file, with its encoded bytes and the header that these are under. */
  readonly msg: LogMsg;
  /** The application that its recording belongs to; empty where that was never announced. */
  readonly application: string;
  /** The id of its recording. */
  readonly recording: string;
}

/** Messages of one file that follow one another; numbers grow, and leave out only what is sent elsewhere. */
export interface ForwardBatch {
  /** The random id of the file, which no other file of any box has. */
  readonly file: string;
  /** At least one message, in the order of the file. */
  readonly messages: readonly ForwardedMessage[];
  /** Length of all of them, encoded. */
  readonly bytes: number;
  /** For how long the first of them has waited since it was written, in milliseconds, if that is known. */
  readonly waitedMs?: number;
}

/** How much is gathered for one `send`, and how many of these may be under way. */
export interface BatchLimits {
  /** Length of the messages of one batch, in bytes; a larger message is a batch of its own. */
  readonly maxBytes: number;
  /** How long a batch that is not full waits for more, in milliseconds. */
  readonly maxWaitMs: number;
  /** Batches under way at once, each of another file: of one file there is never more than one. */
  readonly maxUnderWay: number;
}

/** Takes messages, as gRPC and NATS do. */
export interface MessageTarget {
  /** Tells the kinds of targets apart. */
  readonly kind: "messages";
  /** Its address as logs show it, without user names, passwords and tokens. */
  readonly name: string;
  /** Length of its batches. */
  readonly limits: BatchLimits;
  /**
   * Sends a batch; resolves once the other side has acknowledged all of it, as far as this kind of
   * target promises anything.
   *
   * The forwarder tries the same batch again after any error that is not a {@linkcode TargetRefused},
   * with back-off: connections are made, and made anew, by `send` itself.
   *
   * @param batch what is to be sent
   * @param signal ends the waiting, with the signal's reason
   * @throws {TargetRefused} if this batch will never be taken, or nothing will
   */
  send(batch: ForwardBatch, signal: AbortSignal): Promise<void>;
  /** Ends its connections. */
  close(): Promise<void>;
}

/** A file that is closed, and has its name and, where it can have one, its chunk index. */
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

/** Takes closed files whole, as object storage does. */
export interface FileTarget {
  /** Tells the kinds of targets apart. */
  readonly kind: "files";
  /** Its address as logs show it, without keys. */
  readonly name: string;
  /** Uploads at once. */
  readonly maxUnderWay: number;
  /**
   * Uploads a file; resolves once what is there was compared with what was sent. Errors as with
   * {@linkcode MessageTarget.send}.
   */
  sendFile(file: ClosedFile, signal: AbortSignal): Promise<void>;
  /** Ends its connections. */
  close(): Promise<void>;
}

/** Any target. */
export type ForwardTarget = MessageTarget | FileTarget;

/** What trying again does not change. */
export class TargetRefused extends RerelayError {
  /** Tells it from other errors. */
  override readonly name = "TargetRefused";

  /**
   * Says who refuses, and why.
   *
   * @param message with the option or the step that changes it
   * @param scope `"batch"`: these messages are counted as not forwardable, and the next ones are sent.
   * `"target"`: nothing is sent to it any more until the program is started again
   */
  constructor(message: string, readonly scope: "batch" | "target") {
    super(message);
  }
}
