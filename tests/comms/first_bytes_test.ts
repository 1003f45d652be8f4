import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { MAX_FIRST_BYTES, protocolOf } from "../../lib/comms/first_bytes.ts";
import { CAPTURES, fixture } from "../fixtures.ts";

/** What each prefix of these bytes is taken for, from none to four. */
function prefixes(bytes: Uint8Array): (string | undefined)[] {
  return [0, 1, 2, 3, 4].map((length) => protocolOf(bytes.subarray(0, length)));
}

const text = (value: string) => new TextEncoder().encode(value);
const no = undefined;

describe("the first bytes of a connection", () => {
  it("of SDKs with the old protocol", () => {
    for (const name of CAPTURES) {
      assertEquals(protocolOf(fixture(`captures/${name}.bin`).subarray(0, 1)), "sdk", name);
    }
    assertEquals(prefixes(Uint8Array.of(0, 0, 9, 9)), [no, "sdk", "sdk", "sdk", "sdk"]);
    assertEquals(prefixes(Uint8Array.of(1, 0, 0x72, 0x65)), [no, "sdk", "sdk", "sdk", "sdk"]);
  });

  it("of SDKs with a protocol to come, which the handshake names", () => {
    assertEquals(prefixes(Uint8Array.of(2, 0, 0x72, 0x65)), [no, no, "sdk", "sdk", "sdk"]);
    assertEquals(prefixes(Uint8Array.of(255, 0, 0x72, 0x65)), [no, no, "sdk", "sdk", "sdk"]);
  });

  it("of HTTP/2", () => {
    assertEquals(prefixes(text("PRI * HTTP/2.0\r\n")), [no, no, no, "http2", "http2"]);
  });

  it("of HTTP/1.1, whatever the method", () => {
    for (const method of ["GET", "HEAD", "OPTIONS", "DELETE", "TRACE", "CONNECT", "A", "Z"]) {
      assertEquals(prefixes(text(`${method} / HTTP/1.1`)).slice(1, 2), ["http1"], method);
    }
    for (const method of ["POST", "PUT", "PATCH", "SEARCH"]) {
      assertEquals(prefixes(text(`${method} /`)), [no, no, "http1", "http1", "http1"], method);
    }
    for (const method of ["PROPFIND", "PROPPATCH"]) {
      assertEquals(prefixes(text(`${method} /`)), [no, no, no, "http1", "http1"], method);
    }
  });

  it("of TLS, SSH and of anything else", () => {
    assertEquals(prefixes(text("SSH-2.0-OpenSSH_9.9")), [no, no, "ssh", "ssh", "ssh"]);
    assertEquals(protocolOf(Uint8Array.of(0x16)), "tls");
    assertEquals(prefixes(text("get /")), [no, no, "other", "other", "other"]);
    assertEquals(prefixes(Uint8Array.of(2, 1, 0, 0)), [no, no, "other", "other", "other"]);
  });

  it("is never undecided for longer than it says", () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const bytes = Uint8Array.of(first, second, first);
        assertEquals(bytes.length, MAX_FIRST_BYTES);
        if (protocolOf(bytes) === undefined) throw new Error(`${bytes}`);
        // What was decided stays so whatever follows.
        for (const length of [1, 2]) {
          const early = protocolOf(bytes.subarray(0, length));
          if (early !== undefined) assertEquals(early, protocolOf(bytes), `${bytes}`);
        }
      }
    }
  });
});
