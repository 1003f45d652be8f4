/**
 * What a client ran into: limits and deadlines, each with the option that sets it.
 *
 * @module
 */
import { RerelayError } from "./error_base.ts";
import { optionText } from "./limit_table.ts";
import { plural } from "./plural.ts";

/** The handshake did not come in time. */
export class HandshakeTimeout extends RerelayError {
  /**
   * Says how much of the handshake came, and names the option that sets the deadline.
   *
   * @param receivedBytes how much of the handshake came
   * @param timeoutSec the deadline, in seconds
   */
  constructor(readonly receivedBytes: number, readonly timeoutSec: number) {
    super(
      `${plural(receivedBytes, "byte")} of the handshake came in ${timeoutSec} s ${
        optionText("handshakeTimeoutSec")
      }`,
    );
  }
}

/** A packet began, and nothing more of it comes. */
export class PacketTimeout extends RerelayError {
  /**
   * Says how much of the packet came, and names the option that sets the deadline.
   *
   * @param receivedBytes how much of the packet came
   * @param timeoutSec the deadline, in seconds
   */
  constructor(readonly receivedBytes: number, readonly timeoutSec: number) {
    super(
      `${plural(receivedBytes, "byte")} of a packet came, then none for ${timeoutSec} s ${
        optionText("packetTimeoutSec")
      }`,
    );
  }
}

/** A packet comes too slowly. */
export class PacketTooSlow extends RerelayError {
  /**
   * Says how slow the packet was, and names the option that sets the pace.
   *
   * @param receivedBytes how much of the packet came
   * @param waitedSec how long we waited for it, in seconds
   * @param minBytesPerSec the slowest pace that is allowed, in bytes a second
   */
  constructor(
    readonly receivedBytes: number,
    readonly waitedSec: number,
    readonly minBytesPerSec: number,
  ) {
    super(
      `${plural(receivedBytes, "byte")} of a packet came in ${
        waitedSec.toFixed(0)
      } s of waiting, slower than ` +
        `${plural(minBytesPerSec, "byte")} a second ${optionText("minPacketBytesPerSec")}`,
    );
  }
}

/** The client sent nothing for longer than it may. */
export class IdleTimeout extends RerelayError {
  /**
   * Names the deadline and the option that sets it.
   *
   * @param timeoutSec the deadline, in seconds
   */
  constructor(readonly timeoutSec: number) {
    super(`No packet began for ${timeoutSec} s ${optionText("idleTimeoutSec")}`);
  }
}

/** The address is none of those that may connect. */
export class AddressNotAllowed extends RerelayError {
  /**
   * Names the address and the option that lets it connect.
   *
   * @param hostname the address; absent where the system does not tell it
   */
  constructor(readonly hostname: string | undefined) {
    super(`${hostname ?? "An unknown address"} is not allowed to connect ${optionText("allow")}`);
  }
}

/** One address has more connections open than it may. */
export class TooManyOfAddress extends RerelayError {
  /**
   * Names the address, the limit and the option that sets it.
   *
   * @param hostname the address
   * @param limit how many connections it may have open
   */
  constructor(readonly hostname: string, readonly limit: number) {
    super(
      `${hostname} has ${plural(limit, "connection")} already ${
        optionText("maxConnectionsPerAddress")
      }`,
    );
  }
}

/** One address connects more often than it may. */
export class ConnectsTooOften extends RerelayError {
  /**
   * Names the address, the limit and the option that sets it.
   *
   * @param hostname the address
   * @param limitPerSec how many times it may connect, a second
   */
  constructor(readonly hostname: string, readonly limitPerSec: number) {
    super(
      `${hostname} connects more than ${plural(limitPerSec, "time")} a second ${
        optionText("maxConnectsPerSec")
      }`,
    );
  }
}

/**
 * There are more clients than may be; this one came last, or has waited longest without finishing
 * its handshake.
 */
export class TooManyClients extends RerelayError {
  /**
   * Names the limit and the option that sets it.
   *
   * @param limit how many there may be
   * @param option that sets the limit
   */
  constructor(readonly limit: number, option: string) {
    const what = option === "maxHandshakes"
      ? `${plural(limit, "connection")} may be without a handshake`
      : `${plural(limit, "client")} may be connected`;
    super(`No more than ${what} at once ${optionText(option)}`);
  }
}

/** Unfinished packets of all clients take more memory than they may; this client's was the oldest. */
export class UnfinishedPacketsLimit extends RerelayError {
  /**
   * Names the limit and the option that sets it.
   *
   * @param limitBytes for all clients together
   */
  constructor(readonly limitBytes: number) {
    super(
      `Unfinished packets of all clients are over the limit of ${
        plural(limitBytes, "byte")
      }, and this ` +
        `client's is the oldest ${optionText("maxUnfinishedBytes")}`,
    );
  }
}

function tooLarge(what: string, bytes: number, limitBytes: number, option: string): string {
  return `${what} of ${plural(bytes, "byte")} is over the limit of ${plural(limitBytes, "byte")} ${
    optionText(option)
  }`;
}

/** A packet declares more bytes than the limit allows. */
export class PacketTooLarge extends RerelayError {
  /**
   * Names the length, the limit and the option that sets it.
   *
   * @param declaredBytes what the packet says is its length
   * @param limitBytes how long it may be
   */
  constructor(readonly declaredBytes: number, readonly limitBytes: number) {
    super(tooLarge("A packet", declaredBytes, limitBytes, "maxPacketBytes"));
  }
}

/** A message declares more bytes than the limit allows, as stored or once inflated. */
export class MessageTooLarge extends RerelayError {
  /**
   * Names the length, the limit and the option that sets it.
   *
   * @param declaredBytes what the message says is its length
   * @param limitBytes how long it may be
   */
  constructor(readonly declaredBytes: number, readonly limitBytes: number) {
    super(tooLarge("A message", declaredBytes, limitBytes, "maxMessageBytes"));
  }
}
