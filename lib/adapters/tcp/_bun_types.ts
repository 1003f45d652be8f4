/**
 * The few of Bun's types that the adapters use, written out: JSR takes no packages that declare
 * globals, as `@types/bun` does.
 *
 * @module
 */

/** A connected socket; see https://bun.sh/docs/api/tcp. */
export interface BunSocket<Data> {
  data: Data;
  /** The file descriptor, below 0 where there is none. */
  readonly fd: number;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number;
  pause(): void;
  resume(): void;
  setKeepAlive(enable: boolean, initialDelayMs: number): boolean;
  setNoDelay(noDelay: boolean): boolean;
  /** Takes as many bytes as fit, copying none that do not; tells how many, below 0 if it is closed. */
  write(bytes: Uint8Array): number;
  /** Closes once what was written is sent. */
  end(): number;
  /** Closes at once, with a reset. */
  terminate(): void;
}

/** What Bun calls. */
export interface BunSocketHandlers<Data> {
  binaryType: "uint8array";
  open(socket: BunSocket<Data>): void;
  data(socket: BunSocket<Data>, bytes: Uint8Array): void;
  /** The socket takes bytes again. */
  drain(socket: BunSocket<Data>): void;
  end(socket: BunSocket<Data>): void;
  close(socket: BunSocket<Data>, error?: Error): void;
  error(socket: BunSocket<Data>, error: Error): void;
}

/** A listening socket. */
export interface BunSocketListener {
  readonly port: number;
  /** Fills in the address it is really bound to. */
  getsockname(into: object): void;
  stop(closeActiveConnections: boolean): void;
}

/** The part of the global `Bun` that listens. */
export interface BunNet {
  listen<Data>(options: {
    hostname: string;
    port: number;
    socket: BunSocketHandlers<Data>;
  }): BunSocketListener;
}
