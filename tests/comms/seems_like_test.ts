import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { seemsLike } from "../../lib/comms/seems_like.ts";

const first = (text: string) =>
  seemsLike(Uint8Array.from(text, (c) => c.charCodeAt(0)).subarray(0, 7));

describe("seemsLike", () => {
  it("knows gRPC, HTTP and TLS by as many bytes as a handshake has", () => {
    assertEquals(first("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "grpc");
    for (const line of ["GET / HTTP/1.1", "POST /rerun", "OPTIONS * HTTP/1.1", "CONNECT a:1"]) {
      assertEquals(first(line), "http", line);
    }
    for (const record of ["\x16\x03\x01\x02\x00\x01\x00", "\x16\x03\x03\x00\xf4\x01\x00"]) {
      assertEquals(first(record), "tls");
    }
  });

  it("knows nobody else", () => {
    const others = ["", "rerun", "\x01\x00rerum", "\x02\x00rerun", "SSH-2.0", "GETTING", "get / H"];
    for (const bytes of [...others, "\x15\x03\x01\x00\x02\x02\x28", "\0\0\0\0\0\0\0", "PRINTER"]) {
      assertEquals(first(bytes), undefined, JSON.stringify(bytes));
    }
  });
});
