/** A Unix socket that takes datagrams, as a service manager has one; by the C library, as neither runtime has any. */
import { LINUX, unixAddress } from "../../../lib/adapters/process/_unix_address.ts";

interface Library {
  socket(domain: number, type: number, protocol: number): number;
  bind(socket: number, address: Uint8Array, length: number): number;
  recv(socket: number, bytes: Uint8Array, length: number | bigint, flags: number): number | bigint;
  close(socket: number): number;
}

async function library(): Promise<Library> {
  if ("Bun" in globalThis) {
    const name = "bun:ffi";
    const { dlopen } = await import(name);
    return dlopen("libc.so.6", {
      socket: { args: ["i32", "i32", "i32"], returns: "i32" },
      bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
      recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
      close: { args: ["i32"], returns: "i32" },
    }).symbols;
  }
  const { symbols } = Deno.dlopen("libc.so.6", {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  return {
    ...symbols,
    recv: (socket, bytes, length, flags) =>
      symbols.recv(socket, bytes as Uint8Array<ArrayBuffer>, BigInt(length), flags),
    bind: (socket, address, length) =>
      symbols.bind(socket, address as Uint8Array<ArrayBuffer>, length),
  };
}

/** What came, and how to end. */
export interface UnixReceiver {
  /** The next datagram's text, if one is there. */
  take(): string | undefined;
  close(): void;
}

/** Binds a socket to a path, or to `@` and an abstract name. */
export async function unixReceiver(name: string): Promise<UnixReceiver> {
  const { socket, bind, recv, close } = await library();
  const fd = socket(LINUX.unix, LINUX.datagram, 0);
  const address = unixAddress(name);
  if (bind(fd, address, address.length) !== 0) throw new Error(`${name} can't be bound`);
  const bytes = new Uint8Array(4096);
  return {
    take() {
      const length = Number(recv(fd, bytes, bytes.length, 0));
      return length < 0 ? undefined : new TextDecoder().decode(bytes.subarray(0, length));
    },
    close: () => void close(fd),
  };
}
