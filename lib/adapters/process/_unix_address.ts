/** Families, kinds and flags of Linux, the same on x64 and arm64. */
export const LINUX = {
  unix: 1,
  /** Flags of a socket: it sends datagrams, programs that we start do not get it, and no call waits. */
  datagram: 2 | 0o2000000 | 0o4000,
  /** Flags of a send: where the receiver is gone, no signal comes (SIGPIPE would end the program). */
  noSignal: 0x4000,
} as const;

/** How many bytes a path may have, with the zero at its end. */
const MAX_PATH_BYTES = 108;

/**
 * The `sockaddr_un` of a socket, as unix(7) describes it.
 *
 * @param name a path, or `@` and a name that is in no file system (an abstract socket)
 * @throws {RangeError} if it is neither, or too long
 */
export function unixAddress(name: string): Uint8Array<ArrayBuffer> {
  const isAbstract = name.startsWith("@");
  const path = new TextEncoder().encode(isAbstract ? `\0${name.slice(1)}` : `${name}\0`);
  if (!(isAbstract || name.startsWith("/")) || path.length > MAX_PATH_BYTES) {
    throw new RangeError(`${name} is not an address of a Unix socket`);
  }
  const address = new Uint8Array(2 + path.length);
  // In the machine's own order, which is little-endian on all that Deno and Bun run on.
  address[0] = LINUX.unix;
  address.set(path, 2);
  return address;
}
