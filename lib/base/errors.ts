/**
 * One class for each thing that a caller can act on; texts as the Rerun server has them where it
 * has one, numbers as fields.
 *
 * @module
 */
import { reason, RerelayError } from "./error_base.ts";
import { optionText } from "./limit_table.ts";
import { plural } from "./plural.ts";

export { reason, RerelayError, shown } from "./error_base.ts";
export * from "./limit_errors.ts";

/** No more viewers may join. */
export class TooManyViewers extends RerelayError {
  /**
   * Names the limit and the option that sets it.
   *
   * @param maxViewers how many there may be
   */
  constructor(readonly maxViewers: number) {
    super(
      `No more than ${plural(maxViewers, "viewer")} may read at once ${optionText("maxViewers")}`,
    );
  }
}

/** Viewers can't join any more. */
export class HubClosed extends RerelayError {
  /** Says that no viewer can join. */
  constructor() {
    super("The viewer hub is closed: no viewer can join it");
  }
}
/** The port is taken, or the address is not of this machine. */
export class TcpBindError extends RerelayError {
  /**
   * Names the address, what to do about it, and what the runtime said.
   *
   * @param addr `hostname:port` that could not be bound
   * @param cause what the runtime said
   * @param option that sets the port
   */
  constructor(readonly addr: string, cause: unknown, option = "--port, option port") {
    const advice = isInUse(cause)
      ? "Another Rerun instance is probably running. " +
        `Stop it, or choose another port (${option}).`
      : "Choose an address of this machine (--bind, option hostname) and a port that you may use.";
    super(`Failed to bind TCP address "${addr}". ${advice} ${reason(cause)}`, { cause });
  }
}

/** Whether the port is taken: Deno says so by the error's name, Bun and Node by its code. */
function isInUse(cause: unknown): boolean {
  const { name = "", code = "" } = Object(cause) as { name?: string; code?: string };
  return name === "AddrInUse" || code === "EADDRINUSE" || reason(cause).includes("already in use");
}

/** Protocols of others that come to the port of the SDKs. */
export type SeemsLike = "grpc" | "http" | "tls" | "ssh";

/** What such a client is, and what whoever started it can do. */
const SEEMS_TEXT: Readonly<Record<SeemsLike, string>> = {
  grpc: "It seems to be a gRPC client (HTTP/2), as Rerun SDKs from 0.23 on are",
  http: "It seems to be a browser or another HTTP client: the page comes with --serve-web",
  tls: "It seems to be a TLS client (https, grpcs): connect without TLS, or by a proxy that " +
    "takes it off",
  ssh: "It seems to be an SSH client, whose servers have port 22 as a rule",
};

/** Of a client that nothing is known of. */
const UNKNOWN_TEXT = "Its first bytes tell of no protocol known here: SDKs from 0.23 on " +
  "connect to rerun+http://HOST:PORT/proxy, older ones to HOST:PORT";

/** The first bytes are not those of a Rerun SDK. */
export class UnknownClient extends RerelayError {
  /**
   * Says what the client seems to be, and what whoever started it can do.
   *
   * @param seemsLike what its first bytes are those of, where they are known
   */
  constructor(readonly seemsLike?: SeemsLike) {
    const text =
      "Received a connection from an unknown client: it does not speak the Rerun SDK protocol";
    super(`${text}. ${seemsLike === undefined ? UNKNOWN_TEXT : SEEMS_TEXT[seemsLike]}`);
  }
}

function otherVersion(which: string, client: number, server: number): string {
  return `SDK client is using ${which} protocol version (${client}) than the SDK server (${server})`;
}

/** The SDK speaks a newer protocol than this server. */
export class ClientIsNewer extends RerelayError {
  /**
   * Names both versions of the protocol.
   *
   * @param clientVersion of the protocol that the client speaks
   * @param serverVersion the newest that this server knows
   */
  constructor(readonly clientVersion: number, readonly serverVersion: number) {
    super(otherVersion("a newer", clientVersion, serverVersion));
  }
}

/** The SDK speaks a protocol that this server no longer knows. */
export class ClientIsOlder extends RerelayError {
  /**
   * Names both versions of the protocol.
   *
   * @param clientVersion of the protocol that the client speaks
   * @param serverVersion the newest that this server knows
   */
  constructor(readonly clientVersion: number, readonly serverVersion: number) {
    super(otherVersion("an older", clientVersion, serverVersion));
  }
}

/** The connection ended inside the handshake. */
export class TruncatedHandshake extends RerelayError {
  /**
   * Says how much of the handshake came.
   *
   * @param receivedBytes how much of the handshake came
   */
  constructor(readonly receivedBytes: number) {
    super(`The connection ended after ${plural(receivedBytes, "byte")}, inside the handshake`);
  }
}

/** The connection ended inside a packet, or inside the length before it. */
export class TruncatedPacket extends RerelayError {
  /**
   * Says how much of the packet came.
   *
   * @param receivedBytes how much of the packet came, its 4-byte length included
   * @param expectedBytes how much it declared, its 4-byte length included; `undefined` inside the length
   */
  constructor(readonly receivedBytes: number, readonly expectedBytes?: number) {
    super(
      `The connection ended inside a packet, after ${receivedBytes} of ${
        expectedBytes ?? "an unknown number of"
      } bytes`,
    );
  }
}

/** The Arrow data of a message is corrupt, and the server is to close its client for that. */
export class CorruptArrow extends RerelayError {
  /**
   * Says what is wrong, and which option lets such messages pass.
   *
   * @param what is wrong with the data
   */
  constructor(what: string) {
    super(`${what} ${optionText("onBadArrow")}`);
  }
}

/** The data does not begin as an RRD stream does. */
export class NotAnRrd extends RerelayError {
  /** Says that this is no recording. */
  constructor() {
    super("Not an .rrd file");
  }
}

/** The data is of a Rerun version from before 0.9. */
export class OldRrdVersion extends RerelayError {
  /**
   * Shows the first bytes, which name the version.
   *
   * @param magic the first four bytes, as text
   */
  constructor(readonly magic: string) {
    super(`Data was from an old, incompatible Rerun version (${magic})`);
  }
}

/** An RRD header with options that no Rerun version writes. */
export class UnknownRrdOptions extends RerelayError {}

/** The RRD data ends inside a header or a message. */
export class TruncatedRrd extends RerelayError {
  /**
   * Says where the data ends, and how much is missing.
   *
   * @param receivedBytes how many bytes are there
   * @param expectedBytes how many there should be
   * @param what the data ends in, such as "a message"
   */
  constructor(readonly receivedBytes: number, readonly expectedBytes: number, what: string) {
    super(
      `RRD data ends inside ${what}, after ${receivedBytes} of ${plural(expectedBytes, "byte")}`,
    );
  }
}

/** A message's bytes are not what its encoding allows. */
export class InvalidMessage extends RerelayError {}

/** A message or packet has more of something than the limit allows. */
export class MessageLimit extends InvalidMessage {
  /**
   * Names what there is too much of, the limit, and the option that sets it.
   *
   * @param found how many there are, or how many were declared
   * @param limit how many there may be
   * @param option that sets the limit
   * @param what is counted, as in "3 entries in a message"
   */
  constructor(
    readonly found: number,
    readonly limit: number,
    readonly option: string,
    what: string,
  ) {
    super(`${found} ${what}, over the limit of ${limit} ${optionText(option)}`);
  }
}

/** There is one receiver already; end its loop first. */
export class ReceiverTaken extends RerelayError {
  /** Says how to end the other loop. */
  constructor() {
    super("Another loop is receiving: end it with break before starting the next");
  }
}

/** A file that must not be there is there. */
export class FileExists extends RerelayError {
  /**
   * Names the file, and how to replace it.
   *
   * @param path of the file
   * @param options with the cause
   */
  constructor(readonly path: string, options?: ErrorOptions) {
    super(
      `${path} exists already: choose another name, or replace it with --force (option force: true)`,
      options,
    );
  }
}

/** A file that is being written is not there any more, and what was in it is lost. */
export class FileGone extends RerelayError {
  /**
   * Names the file.
   *
   * @param path of the file
   */
  constructor(readonly path: string) {
    super(`${path} is gone: something removed, renamed or replaced it`);
  }
}

/** A file has all the bytes that its file system, or a limit of this process, lets it have. */
export class FileTooLarge extends RerelayError {
  /**
   * Names the file, and what may forbid it to grow.
   *
   * @param path of the file
   * @param writtenBytes how much of the last write it took
   * @param options with the cause
   */
  constructor(readonly path: string, readonly writtenBytes: number, options?: ErrorOptions) {
    super(
      `${path} can't grow: its file system takes no larger file, or ulimit -f forbids it`,
      options,
    );
  }
}

/** An unfinished file that is not known to be ours stands where one is to be written. */
export class PartExists extends RerelayError {
  /**
   * Names the file, and how to read it.
   *
   * @param path of the unfinished file
   */
  constructor(readonly path: string) {
    super(
      `${path} is there already and was not made by this --save: choose another name, or move it away` +
        ` (rrd recover ${path} -o OUT.rrd reads it, if it is a recording)`,
    );
  }
}

/** Another program saves under the same name. */
export class SaveLocked extends RerelayError {
  /**
   * Names the other program, and the file to remove if there is none.
   *
   * @param path of the lock, a file
   * @param pid of the other program
   */
  constructor(readonly path: string, readonly pid: number) {
    super(
      `Process ${pid} saves under this name already: end it or choose another name ` +
        `(if it does no such thing, remove ${path})`,
    );
  }
}

/** More connections than the process may have open files. */
export class TooManyOpenFiles extends RerelayError {
  /**
   * Says what became of new connections, and how to raise the limit.
   *
   * @param refusedConnections how many were closed at once since the last such error; 0: they wait
   * @param openFileLimit the process's soft limit of open files
   */
  constructor(readonly refusedConnections: number, readonly openFileLimit: number) {
    super(
      (refusedConnections > 0
        ? `Closed ${plural(refusedConnections, "new connection")} at once`
        : "New connections wait until others leave") +
        `: this process may have only ${openFileLimit} files and sockets open (raise it with ulimit -n)`,
    );
  }
}

/** This runtime is none of those that there is an adapter for. */
export class UnsupportedRuntime extends RerelayError {
  /**
   * Names the runtimes that are supported.
   *
   * @param supported names of the runtimes that there are adapters for
   */
  constructor(readonly supported: readonly string[]) {
    super(
      `This JavaScript runtime is not supported: run it on ${supported.join(" or ")}, ` +
        "or pass adapters of your own",
    );
  }
}
