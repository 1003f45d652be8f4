/**
 * Datagrams to Unix sockets, by the C library: Bun has none, and Deno has them only behind
 * `--unstable-net`, for sockets that it makes itself
 * (https://github.com/denoland/deno/issues/14214).
 *
 * @module
 */
import { LINUX, unixAddress } from "./_unix_address.ts";
import { cFunctions } from "./c_library.ts";
import type { DatagramSender } from "./types.ts";

/**
 * Opens a way to a Unix socket, on Linux.
 *
 * @param name its path, or `@` and its abstract name
 * @throws {RangeError} if it is no such name
 * @throws {Error} if the C library may not be called, or gives no socket
 */
export function datagramSender(name: string): DatagramSender {
  const address = unixAddress(name);
  const { socket, sendto } = cFunctions({
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
  });
  const fd = socket(LINUX.unix, LINUX.datagram, 0);
  if (fd < 0) throw new Error("no socket could be opened");
  return (bytes) => {
    const { length } = bytes;
    const sent = sendto(fd, bytes, BigInt(length), LINUX.noSignal, address, address.length);
    return Number(sent) === length;
  };
}
