/** A link between a box and a server that can be cut: its port is closed, and opened again. */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** Passes bytes on in both directions while it is open. */
export class CutLink {
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #target: number;
  #port = 0;

  private constructor(target: number) {
    this.#target = target;
  }

  /** Opens one to a port of this machine. */
  static async open(target: number): Promise<CutLink> {
    const link = new CutLink(target);
    await link.restore();
    return link;
  }

  /** Where boxes connect. */
  get port(): number {
    return this.#port;
  }

  /** Closes the port, and resets all that goes through it. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise((resolve) =>
      server === undefined ? resolve(0) : server.close(resolve)
    );
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  /** Opens the same port again. */
  async restore(): Promise<void> {
    const server = this.#server = createServer({ allowHalfOpen: true }, (box) => this.#join(box));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  #join(box: Socket): void {
    const server = connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true });
    for (const [from, to] of [[box, server], [server, box]] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
}
