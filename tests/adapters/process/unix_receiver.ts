/** A Unix socket that takes datagrams, as a service manager has one; by the C library, as no runtime has any. */
import { LINUX, unixAddress } from "../../../lib/adapters/process/_unix_address.ts";
import { cFunctions } from "../../../lib/adapters/process/c_library.ts";

/** What came, and how to end. */
export interface UnixReceiver {
  /** The next datagram's text, if one is there. */
  take(): string | undefined;
  close(): void;
}

/** Binds a socket to a path, or to `@` and an abstract name. */
export function unixReceiver(name: string): UnixReceiver {
  const { socket, bind, recv, close } = cFunctions({
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const fd = Number(socket(LINUX.unix, LINUX.datagram, 0));
  const address = unixAddress(name);
  if (bind(fd, address, address.length) !== 0) throw new Error(`${name} can't be bound`);
  const bytes = new Uint8Array(4096);
  return {
    take() {
      const length = Number(recv(fd, bytes, BigInt(bytes.length), 0));
      return length < 0 ? undefined : new TextDecoder().decode(bytes.subarray(0, length));
    },
    close: () => void close(fd),
  };
}
