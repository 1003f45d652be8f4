/**
 * One class for each thing that a caller can act on; texts as the Rerun server has them where it
 * has one, numbers as fields.
 *
 * @module
 */

/** What every error of this package is. */
export class RerelayError extends Error {
  /** `hostname:port` of the client that it is about, where it is about one. */
  client?: string;
  /** Where in what the client sent it was found: how many bytes came before that packet. */
  byteOffset?: number;

  /**
   * Takes what its text and fields say.
   *
   * @param message one line that says who, what, and the option that changes it
   * @param options `cause`: what led to it
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The port is taken, or the address is not of this machine. */
export class TcpBindError extends RerelayError {
  /**
   * Takes what its text and fields say.
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

/** Deno tells by the error's name, Bun and Node by a code. */
function isInUse(cause: unknown): boolean {
  const { name = "", code = "" } = Object(cause) as { name?: string; code?: string };
  return name === "AddrInUse" || code === "EADDRINUSE" || reason(cause).includes("already in use");
}

/** The first bytes are not those of a Rerun SDK. */
export class UnknownClient extends RerelayError {
  /** Takes what its text and fields say. */
  constructor() {
    super("Received a connection from an unknown client: it does not speak the Rerun SDK protocol");
  }
}

/** The SDK speaks a newer protocol than this server. */
export class ClientIsNewer extends RerelayError {
  /** Takes both versions of the protocol. */
  constructor(readonly clientVersion: number, readonly serverVersion: number) {
    super(
      `SDK client is using a newer protocol version (${clientVersion}) than the SDK server (${serverVersion})`,
    );
  }
}

/** The SDK speaks a protocol that this server no longer knows. */
export class ClientIsOlder extends RerelayError {
  /** Takes both versions of the protocol. */
  constructor(readonly clientVersion: number, readonly serverVersion: number) {
    super(
      `SDK client is using an older protocol version (${clientVersion}) than the SDK server (${serverVersion})`,
    );
  }
}

/** The connection ended inside the handshake. */
export class TruncatedHandshake extends RerelayError {
  /** Takes what its text and fields say. */
  constructor(readonly receivedBytes: number) {
    super(`The connection ended after ${receivedBytes} bytes, inside the handshake`);
  }
}

/** The connection ended inside a packet, or inside the length before it. */
export class TruncatedPacket extends RerelayError {
  /**
   * Takes what its text and fields say.
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

/** The handshake did not come in time. */
export class HandshakeTimeout extends RerelayError {
  /** Takes what came, in bytes, and the deadline in seconds. */
  constructor(readonly receivedBytes: number, readonly timeoutSec: number) {
    super(
      `${receivedBytes} bytes of the handshake came in ${timeoutSec} s (option handshakeTimeoutSec)`,
    );
  }
}

/** A packet stands still, or trickles. */
export class PacketTimeout extends RerelayError {
  /** Takes what came of it in bytes, how long we waited, and the deadline, in seconds. */
  constructor(
    readonly receivedBytes: number,
    readonly waitedSec: number,
    readonly timeoutSec: number,
  ) {
    super(
      `${receivedBytes} bytes of a packet came in ${waitedSec.toFixed(0)} s of waiting: it needs ` +
        `1 KiB/s, and a byte every ${timeoutSec} s (option packetTimeoutSec)`,
    );
  }
}

/** The client sent nothing for longer than it may. */
export class IdleTimeout extends RerelayError {
  /** Takes the deadline in seconds. */
  constructor(readonly timeoutSec: number) {
    super(`No packet began for ${timeoutSec} s (option idleTimeoutSec)`);
  }
}

/** The address is none of those that may connect. */
export class AddressNotAllowed extends RerelayError {
  /** Takes the address, if the system told it. */
  constructor(readonly hostname: string | undefined) {
    super(`${hostname ?? "An unknown address"} is not allowed to connect (option allow)`);
  }
}

/** One address has more connections open than it may. */
export class TooManyOfAddress extends RerelayError {
  /** Takes the address and the limit. */
  constructor(readonly hostname: string, readonly limit: number) {
    super(`${hostname} has ${limit} connections already (option maxConnectionsPerAddress)`);
  }
}

/** One address connects more often than it may. */
export class ConnectsTooOften extends RerelayError {
  /** Takes the address and the limit in connections a second. */
  constructor(readonly hostname: string, readonly limitPerSec: number) {
    super(
      `${hostname} connects more than ${limitPerSec} times a second (option maxConnectsPerSec)`,
    );
  }
}

/** The Arrow data of a message is corrupt, and the server is to close its client for that. */
export class CorruptArrow extends RerelayError {
  /** Takes what is wrong with the data. */
  constructor(what: string) {
    super(`${what} (option onBadArrow)`);
  }
}

/** More clients than there may be; this one came last, or waited longest to say hello. */
export class TooManyClients extends RerelayError {
  /** Takes the limit, and the option that sets it. */
  constructor(readonly limit: number, option: string) {
    super(`${limit} clients are connected already (option ${option})`);
  }
}

/** Unfinished packets of all clients take more memory than they may; this client's was the oldest. */
export class UnfinishedPacketsLimit extends RerelayError {
  /** Takes the limit in bytes. */
  constructor(readonly limitBytes: number) {
    super(
      `Unfinished packets of all clients are over the limit of ${limitBytes} bytes, and this ` +
        "client's is the oldest (option maxUnfinishedBytes)",
    );
  }
}

/** A packet declares more bytes than the limit allows. */
export class PacketTooLarge extends RerelayError {
  /** Takes what its text and fields say. */
  constructor(readonly declaredBytes: number, readonly limitBytes: number) {
    super(
      `A packet of ${declaredBytes} bytes is over the limit of ${limitBytes} bytes (option maxPacketBytes)`,
    );
  }
}

/** The data does not begin as an RRD stream does. */
export class NotAnRrd extends RerelayError {
  /** Takes what its text and fields say. */
  constructor() {
    super("Not an .rrd file");
  }
}

/** The data is of a Rerun version from before 0.9. */
export class OldRrdVersion extends RerelayError {
  /** Takes what its text and fields say. */
  constructor(readonly magic: string) {
    super(`Data was from an old, incompatible Rerun version (${magic})`);
  }
}

/** An RRD header with options that no Rerun version writes. */
export class UnknownRrdOptions extends RerelayError {}

/** The RRD data ends inside a header or a message. */
export class TruncatedRrd extends RerelayError {
  /** Takes what its text and fields say. */
  constructor(readonly receivedBytes: number, readonly expectedBytes: number, what: string) {
    super(`RRD data ends inside ${what}: ${receivedBytes} of ${expectedBytes} bytes are there`);
  }
}

/** A message declares more bytes than the limit allows, as stored or once inflated. */
export class MessageTooLarge extends RerelayError {
  /** Takes what its text and fields say. */
  constructor(readonly declaredBytes: number, readonly limitBytes: number) {
    super(
      `A message of ${declaredBytes} bytes is over the limit of ${limitBytes} bytes (option maxMessageBytes)`,
    );
  }
}

/** A message's bytes are not what its encoding allows. */
export class InvalidMessage extends RerelayError {}

/** A message or packet has more of something than the limit allows. */
export class MessageLimit extends InvalidMessage {
  /**
   * Takes what its text and fields say.
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
    super(`${found} ${what}, over the limit of ${limit} (option ${option})`);
  }
}

/** There is one receiver already; end its loop first. */
export class ReceiverTaken extends RerelayError {
  /** Takes what its text and fields say. */
  constructor() {
    super("Another loop is receiving already: end it with break before starting the next");
  }
}

/** A file that must not be there is there. */
export class FileExists extends RerelayError {
  /** Takes what its text and fields say. */
  constructor(readonly path: string, options?: ErrorOptions) {
    super(`${path} exists already: choose another name, or replace it with --force`, options);
  }
}

/** More connections than the process may have open files. */
export class TooManyOpenFiles extends RerelayError {
  /**
   * Takes what its text and fields say.
   *
   * @param refusedConnections how many were closed at once since the last such error
   * @param openFileLimit the process's soft limit of open files
   */
  constructor(readonly refusedConnections: number, readonly openFileLimit: number) {
    super(
      `Closed ${refusedConnections} new connection(s) at once: this process may have only ` +
        `${openFileLimit} files and sockets open (raise it with ulimit -n)`,
    );
  }
}

/** This runtime is none of those that there is an adapter for. */
export class UnsupportedRuntime extends RerelayError {
  /** Takes what its text and fields say. */
  constructor(readonly supported: readonly string[]) {
    super(
      `This JavaScript runtime is not supported: run it on ${supported.join(" or ")}, ` +
        "or pass adapters of your own",
    );
  }
}

/** A value of a peer in an error's text: never more of it than a line bears, and nothing unescaped. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : typeof value;
}

/** What an unknown thrown value says, on one line. */
export function reason(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s*\n\s*/g, " ");
}

/** No more viewers may join. */
export class TooManyViewers extends RerelayError {
  /** Takes how many there may be. */
  constructor(readonly maxViewers: number) {
    super(
      `There are ${maxViewers} viewers already, as many as may be (--max-viewers, option maxViewers)`,
    );
  }
}

/** Viewers can't join any more. */
export class HubClosed extends RerelayError {
  /** Takes what its text and fields say. */
  constructor() {
    super("The viewer hub is closed: no viewer can join it");
  }
}
