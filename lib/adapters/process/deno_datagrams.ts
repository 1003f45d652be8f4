/**
 * Datagrams to Unix sockets on Deno, which has them behind `--unstable-net` alone: by the C library.
 *
 * @module
 */
import { C_LIBRARIES, LINUX, unixAddress } from "./_unix_address.ts";
import type { DatagramSender } from "./types.ts";

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
} as const;

/**
 * Opens a way to a Unix socket.
 *
 * @param name its path, or `@` and its abstract name
 * @throws {Error} if there is no C library that may be called (`--allow-ffi`), or no socket
 */
export function datagramSender(name: string): DatagramSender {
  const address = unixAddress(name);
  const { symbols } = open();
  const socket = symbols.socket(LINUX.unix, LINUX.datagram, 0);
  if (socket < 0) throw new Error("no socket could be opened");
  return (bytes) => {
    const sent = symbols.sendto(
      socket,
      bytes,
      BigInt(bytes.length),
      LINUX.noSignal,
      address,
      address.length,
    );
    return Number(sent) === bytes.length;
  };
}

function open() {
  // On Deno what is not permitted would stop the program and ask.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new Error("the C library may not be called (--allow-ffi)");
  }
  let problem: unknown;
  for (const library of C_LIBRARIES) {
    try {
      return Deno.dlopen(library, SYMBOLS);
    } catch (error) {
      problem ??= error;
    }
  }
  throw problem;
}
