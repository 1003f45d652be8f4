/** Families, kinds and flags of Linux, the same on x64 and arm64. */
export const LINUX = {
  unix: 1,
  /** Datagrams; closed in programs that are started; never waits. */
  datagram: 2 | 0o2000000 | 0o4000,
  /** A receiver that is gone is no signal. */
  noSignal: 0x4000,
} as const;

/** What a path may have of bytes, its final zero included. */
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
