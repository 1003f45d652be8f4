/** What connections send, as copies. */
import type { H2Connection } from "../../../lib/comms/h2/connection.ts";
import { joined } from "../../contract/streams.ts";

/** All that a connection sends now. */
export function drain(h2: H2Connection): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let taken = take(h2); taken.length > 0; taken = take(h2)) {
    parts.push(taken);
    h2.wrote();
  }
  return joined(parts);
}

/** What a connection writes next; `wrote` is not said. */
export function take(h2: H2Connection, most = 65536): Uint8Array {
  const memory = new Uint8Array(most);
  return memory.subarray(0, h2.take(memory));
}
