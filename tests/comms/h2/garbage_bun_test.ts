/** What attackers make a server read and refuse leaves little garbage behind, as Bun counts it. */
import { describe, it } from "node:test";
import { assertLess } from "@std/assert";
import { GrpcService } from "../../../lib/comms/grpc/service.ts";
import { H2Connection } from "../../../lib/comms/h2/connection.ts";
import { ATTACKS, BEGINNING } from "./attacks.ts";

/** The part of `bun:jsc` and of Bun that is used here. */
interface Heap {
  heapStats(): { readonly objectTypeCounts: Readonly<Record<string, number>> };
}
declare const Bun: { gc(force: boolean): void };

/** Strings and arrays of bytes that one connection may leave behind until it is ended. */
const MOST: Readonly<Record<string, number>> = {
  // 201 streams are refused by then.
  "rapid reset": 7000,
  "an HPACK bomb": 1000,
  "large header fields": 9000,
};

const never = () => {
  throw new Error("no call is taken");
};
const service = new GrpcService<undefined>({
  writeMessages: never,
  readMessages: never,
  writeTable: never,
  readTables: never,
  isServing: () => true,
  failed() {},
});

/** Sends an attack until the connection is ended. */
function attack(pieces: Iterable<Uint8Array>): void {
  const connection = new H2Connection("server", {
    onStream: (stream) => service.accept(stream, undefined),
  });
  const memory = new Uint8Array(65_536);
  connection.push(BEGINNING);
  for (const piece of pieces) {
    connection.push(piece);
    connection.take(memory);
    connection.wrote();
    if (connection.isClosed) return;
  }
}

const skip = !("Bun" in globalThis) && "Bun alone counts its objects";

describe("what attacks on HTTP/2 leave behind", { skip }, () => {
  for (const [name, most] of Object.entries(MOST)) {
    it(`is little after ${name}`, async () => {
      const { heapStats } = await import(`bun:${"jsc"}`) as Heap;
      const count = () => {
        const { string = 0, Uint8Array = 0 } = heapStats().objectTypeCounts;
        return string + Uint8Array;
      };
      // What came before it is a number of its own; a collection in its midst makes it only smaller.
      attack(ATTACKS[name]!());
      Bun.gc(true);
      const before = count();
      attack(ATTACKS[name]!());
      assertLess(count() - before, most);
    });
  }
});
