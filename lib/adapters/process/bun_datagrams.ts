/**
 * Datagrams to Unix sockets on Bun, which has none: by the C library.
 *
 * @module
 */
import { C_LIBRARIES, LINUX, unixAddress } from "./_unix_address.ts";
import type { DatagramSender } from "./types.ts";

/** The part of `bun:ffi` that is used here. */
interface Ffi {
  dlopen(library: string, symbols: typeof SYMBOLS): {
    readonly symbols: {
      socket(domain: number, type: number, protocol: number): number;
      sendto(
        socket: number,
        bytes: Uint8Array,
        length: number,
        flags: number,
        address: Uint8Array,
        addressLength: number,
      ): number | bigint;
    };
  };
}

const SYMBOLS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
} as const;

/** Not a literal: other runtimes would look for it. */
const FFI = "bun:ffi";

/**
 * Opens a way to a Unix socket.
 *
 * @param name its path, or `@` and its abstract name
 * @throws {Error} if there is no C library, or no socket
 */
export async function datagramSender(name: string): Promise<DatagramSender> {
  const address = unixAddress(name);
  const { symbols } = open(await import(FFI));
  const socket = symbols.socket(LINUX.unix, LINUX.datagram, 0);
  if (socket < 0) throw new Error("no socket could be opened");
  return (bytes) => {
    const sent = symbols.sendto(
      socket,
      bytes,
      bytes.length,
      LINUX.noSignal,
      address,
      address.length,
    );
    return Number(sent) === bytes.length;
  };
}

function open(ffi: Ffi) {
  let problem: unknown;
  for (const library of C_LIBRARIES) {
    try {
      return ffi.dlopen(library, SYMBOLS);
    } catch (error) {
      problem ??= error;
    }
  }
  throw problem;
}
