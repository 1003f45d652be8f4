/**
 * Clients of HTTP/1.1 at the port of the SDKs: they are handed to the door for HTTP; without a door
 * probes are answered, and others are told what to do.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { HandshakeTimeout, shown, UnknownClient } from "../base/errors.ts";
import { formatAddr } from "../base/net_addr.ts";
import type { Log } from "../base/log.ts";
import type { Readiness } from "../base/readiness.ts";
import type { TcpConnection } from "../adapters/tcp/types.ts";
import { logLeft } from "./client_log.ts";
import type { Doors } from "./doors.ts";
import type { ListedClient } from "./listed_client.ts";

/** How long the head of a request may be, in bytes. */
const MAX_HEAD_BYTES = 16 * 1024;

/** The first line of a request, whole. */
const REQUEST_LINE = /^([A-Z]+) (\S+) HTTP\/1\.[01]\r?\n/;

/** Some other protocols begin with capital letters, too: SMTP, or the one of proxies. */
const MAY_BECOME_REQUEST = /^[A-Z]{1,20}(?: [^\n]*)?$/;

/** What may stand before the path: proxies write it so. */
const SERVER = /^https?:\/\/[^/?#]*/i;

const NO_PAGE = "Nothing is served here: the page and what viewers read come with --serve-web";

/** What {@linkcode HttpGuest} works with. */
export interface HttpGuestOptions {
  /** When the connection came, in milliseconds of the clock of deadlines. */
  readonly since: number;
  /** Bytes that were read of it already. */
  readonly first: Uint8Array<ArrayBuffer>;
  readonly handshakeTimeoutSec: number;
  readonly now: Clock["now"];
  readonly log: Log;
  /** What `/readyz` asks. */
  readonly readiness: Readiness;
  /** The door that serves it, if there is one. */
  readonly door: Doors["http"];
  /** Called when what is held for it grows or shrinks, by so many bytes. */
  readonly onHeld: (more: number) => void;
  /** Called when it was handed to the door, whose deadlines hold from now on. */
  readonly onServed: (guest: HttpGuest) => void;
}

/** One connection of HTTP/1.1; without a door it serves one request. */
export class HttpGuest implements ListedClient {
  readonly stats = undefined;
  readonly silentMs = Infinity;
  readonly waitingBytes = 0;
  readonly #connection: TcpConnection;
  readonly #options: HttpGuestOptions;
  #received: number;
  #heldBytes = 0;
  #isServed = false;
  #verdict: Error | undefined;

  /**
   * @param connection whose first bytes are those of HTTP/1.1
   * @param options the bytes that came, the deadline, and the door
   */
  constructor(connection: TcpConnection, options: HttpGuestOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#received = options.first.length;
  }

  /** Bytes that came of its request's head; 0 once they are handed on. */
  get unfinishedBytes(): number {
    return this.#heldBytes;
  }

  get unfinishedSince(): number {
    return this.#options.since;
  }

  async run(): Promise<void> {
    const { door, first, log } = this.#options;
    const client = this.#addr;
    try {
      if (door === undefined) await this.#answer();
      else {
        this.#isServed = true;
        this.#options.onServed(this);
        await door(this.#connection, first);
      }
    } catch (error) {
      const text = `The HTTP connection of ${client} broke: ${error}`;
      if (this.#verdict === undefined) log.write("debug", text, { client, kind: "http broke" });
    }
    this.#hold(0);
    this.#connection.close();
    if (this.#verdict !== undefined) logLeft(log, client, this.#verdict);
  }

  holdReading(): void {}

  checkDeadlines(): boolean {
    const { handshakeTimeoutSec, since, now } = this.#options;
    if (this.#isServed || now() - since < handshakeTimeoutSec * 1000) return false;
    this.close(new HandshakeTimeout(this.#received, handshakeTimeoutSec));
    return true;
  }

  close(why?: Error): void {
    // The door closes what it serves.
    if (why === undefined && this.#isServed) return;
    this.cut(why);
  }

  evict(why: Error): void {
    this.cut(why);
  }

  /** Ends the connection at once. */
  cut(why?: Error): void {
    this.#verdict ??= why;
    this.#connection.close();
  }

  #hold(bytes: number): void {
    const more = bytes - this.#heldBytes;
    this.#heldBytes = bytes;
    if (more !== 0) this.#options.onHeld(more);
  }

  get #addr(): string {
    const { remoteAddr } = this.#connection;
    return remoteAddr === undefined ? "(unknown ip)" : formatAddr(remoteAddr);
  }

  async #answer(): Promise<void> {
    const { log } = this.#options;
    const client = this.#addr;
    const head = await this.#head();
    const [, method, target] = REQUEST_LINE.exec(head ?? "") ?? [];
    if (method === undefined || target === undefined) {
      this.#verdict ??= new UnknownClient();
      return;
    }
    const path = target.replace(SERVER, "");
    const isRead = method === "GET" || method === "HEAD";
    const [, probe] = (isRead ? /^\/(healthz|readyz)(?:\?|$)/.exec(path) : undefined) ?? [];
    if (probe === undefined) {
      const text = `The HTTP client at ${client} asked for ${shown(path)}. ${NO_PAGE}`;
      log.write("warn", text, { client, kind: "http refused" });
    }
    const { status, type, line } = await this.#answerTo(probe);
    const body = new TextEncoder().encode(`${line}\n`);
    const answer = `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    await this.#connection.write(new TextEncoder().encode(answer));
    if (method !== "HEAD") await this.#connection.write(body);
  }

  async #answerTo(probe: string | undefined) {
    const type = "text/plain; charset=utf-8";
    if (probe === undefined) return { status: "404 Not Found", type, line: NO_PAGE };
    if (probe === "healthz") return { status: "200 OK", type, line: "ok" };
    const report = await this.#options.readiness.report();
    const status = report.ready ? "200 OK" : "503 Service Unavailable";
    return { status, type: "application/json", line: JSON.stringify(report) };
  }

  /** Reads the head up to the empty line; gives nothing if that does not come. */
  async #head(): Promise<string | undefined> {
    const connection = this.#connection;
    const reader = connection.read === undefined ? connection.readable.getReader() : undefined;
    const latin1 = new TextDecoder("latin1");
    let head = latin1.decode(this.#options.first.subarray(0, MAX_HEAD_BYTES));
    while (!/\r?\n\r?\n/.test(head)) {
      if (!MAY_BECOME_REQUEST.test(head) && !REQUEST_LINE.test(head)) return undefined;
      if (head.length >= MAX_HEAD_BYTES) return undefined;
      this.#hold(head.length);
      const chunk = reader === undefined ? await connection.read!() : (await reader.read()).value;
      if (chunk === undefined) return undefined;
      this.#received += chunk.length;
      head += latin1.decode(chunk.subarray(0, MAX_HEAD_BYTES));
    }
    return head;
  }
}
