/** Links as robots have them: a proxy that passes on so many bytes a second, late, and stalls. */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** How a link is. */
export interface LinkOptions {
  /** From the server to the viewer, in bytes a second; 0: nothing at all after the first. */
  readonly bytesPerSec: number;
  /** So much later than it came, in milliseconds. */
  readonly delayMs?: number;
  /** Every so many milliseconds, for so many, nothing comes through. */
  readonly stall?: { readonly everyMs: number; readonly forMs: number };
  /** After so many milliseconds it carries another number of bytes a second; in `LinksProcess` alone. */
  readonly then?: { readonly afterMs: number; readonly bytesPerSec: number };
  /**
   * How many bytes the system takes for it at once and acknowledges together, and how many are read at
   * once; in `LinksProcess` alone. By default that is much more than a router would.
   */
  readonly receiveBytes?: number;
  readonly segmentBytes?: number;
  readonly pieceBytes?: number;
  /** After so many milliseconds, nothing comes through any more. */
  readonly stopsAfterMs?: number;
  /** Told of all that viewers ask, and of what they are given once it is through; by connection. */
  readonly onBytes?: (direction: "ask" | "give", connection: number, bytes: Uint8Array) => void;
}

/** Passed on at once, in bytes. */
const PIECE_BYTES = 16 * 1024;

/** A link that runs; viewers connect to its port instead of the server's. */
export class SlowLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #toServer = new Set<Socket>();
  readonly #options: LinkOptions;
  readonly #target: number;
  readonly #begun = performance.now();
  #connections = 0;

  private constructor(target: number, options: LinkOptions) {
    this.#target = target;
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (viewer) => this.#join(viewer));
  }

  /**
   * Opens one.
   *
   * @param target port of the server
   * @param options how it is
   */
  static async open(target: number, options: LinkOptions): Promise<SlowLink> {
    const link = new SlowLink(target, options);
    await new Promise<void>((resolve) => link.#server.listen(0, "127.0.0.1", resolve));
    return link;
  }

  /** Where viewers connect. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ports of its own connections to the server. */
  get serverPorts(): number[] {
    return Array.from(this.#toServer, ({ localPort }) => localPort ?? 0);
  }

  /** Ends all that goes through it. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(viewer: Socket): void {
    const server = connect(this.#target, "127.0.0.1");
    this.#toServer.add(server);
    server.once("close", () => this.#toServer.delete(server));
    for (const [socket, other] of [[viewer, server], [server, viewer]] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    const { onBytes } = this.#options;
    const id = ++this.#connections;
    if (onBytes !== undefined) viewer.on("data", (bytes: Uint8Array) => onBytes("ask", id, bytes));
    viewer.pipe(server);
    this.#passOn(server, viewer, id);
  }

  /** Piece by piece; while one is on its way, no more is read: the server sees how slow it is. */
  #passOn(from: Socket, to: Socket, id: number): void {
    const { bytesPerSec, delayMs = 0, onBytes } = this.#options;
    let freeAt = performance.now();
    from.on("data", (bytes: Uint8Array) => {
      from.pause();
      const next = (at: number) => {
        if (at >= bytes.length) return void from.resume();
        const piece = bytes.subarray(at, at + PIECE_BYTES);
        const now = performance.now();
        freeAt = this.#afterStall(Math.max(freeAt, now - 50) + piece.length / bytesPerSec * 1000);
        if (freeAt === Infinity) return;
        const pass = () => {
          if (to.destroyed) return;
          to.write(piece);
          onBytes?.("give", id, piece);
        };
        if (delayMs > 0) setTimeout(pass, delayMs);
        else pass();
        if (freeAt - now < 2) next(at + piece.length);
        else setTimeout(() => next(at + piece.length), freeAt - now);
      };
      next(0);
    });
    from.on("end", () => {
      setTimeout(() => to.end(), Math.max(0, delayMs + freeAt - performance.now()));
    });
  }

  #afterStall(time: number): number {
    const { stall, stopsAfterMs = Infinity } = this.#options;
    if (time - this.#begun > stopsAfterMs) return Infinity;
    if (stall === undefined) return time;
    const into = (time - this.#begun) % stall.everyMs;
    const from = stall.everyMs - stall.forMs;
    return into < from ? time : time + stall.everyMs - into;
  }
}
