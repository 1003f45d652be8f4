import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  CallCut,
  decodeText,
  encodeText,
  GrpcError,
  parseTimeout,
  STATUS,
  statusOf,
  trailersOf,
} from "../../../lib/comms/grpc/status.ts";
import {
  InvalidMessage,
  MessageLimit,
  MessageTooLarge,
  UnfinishedPacketsLimit,
} from "../../../lib/base/errors.ts";
import { seeded } from "../../random.ts";

describe("gRPC statuses", () => {
  it("tell whose fault it was", () => {
    const errors: [Error, number][] = [
      [new GrpcError(STATUS.UNIMPLEMENTED, "no"), 12],
      [new InvalidMessage("bad"), 3],
      [new MessageLimit(2, 1, "maxEntries", "entries"), 8],
      [new MessageTooLarge(2, 1), 8],
      [new UnfinishedPacketsLimit(1), 8],
      [new CallCut(0), 1],
      [new CallCut(3), 13],
      [new TypeError("a bug"), 13],
    ];
    for (const [error, status] of errors) assertEquals(statusOf(error), status, error.message);
  });

  it("stand in the trailers, with a text that a header can hold", () => {
    assertEquals(trailersOf(), [["grpc-status", "0"]]);
    const error = new GrpcError(STATUS.NOT_FOUND, "100 % für\n nichts");
    assertEquals(trailersOf(error), [
      ["grpc-status", "5"],
      ["grpc-message", "100 %25 f%C3%BCr nichts"],
    ]);
  });

  it("have texts that neither begin nor end with a space, which HTTP/2 forbids", () => {
    for (const text of [" ", "  ", " a b ", "ends so: ", " ü", "ü "]) {
      const encoded = encodeText(text);
      assertEquals(encoded.trim(), encoded);
      assertEquals(decodeText(encoded), text);
    }
    assertEquals(encodeText("a  b"), "a  b");
  });

  it("have texts that come back as they were", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seeded(seed);
      const text = String.fromCodePoint(
        ...Array.from({ length: random() * 20 }, () => {
          const code = Math.floor(random() ** 4 * 0x10_ffff);
          return code >= 0xd800 && code < 0xe000 ? 0x25 : code;
        }),
      );
      const encoded = encodeText(text);
      assert(/^[\x20-\x7e]*$/.test(encoded), encoded);
      assertEquals(decodeText(encoded), text, `seed ${seed}`);
    }
    assertEquals(encodeText("\ud800"), "%EF%BF%BD");
    assertEquals(decodeText("100% or %zz, %2"), "100% or %zz, %2");
    assertEquals(encodeText("x".repeat(1024)), "x".repeat(1024));
    assertEquals(encodeText("x".repeat(5000)), "x".repeat(1024));
    assertEquals(decodeText(encodeText("ü".repeat(5000))), "ü".repeat(512));
  });

  it("have deadlines in their own units", () => {
    const deadlines: [string | undefined, number][] = [
      [undefined, Infinity],
      ["2H", 7_200_000],
      ["3M", 180_000],
      ["10S", 10_000],
      ["250m", 250],
      ["1500u", 1.5],
      ["99999999n", 99.999999],
      ["0S", 0],
    ];
    for (const [header, ms] of deadlines) {
      assert(Math.abs(parseTimeout(header) - ms) < 1e-9 || ms === Infinity, header);
    }
    assertEquals(parseTimeout(undefined), Infinity);
    for (const header of ["", "S", "10", "10s", "-1S", "1.5S", "123456789S", " 1S", "0x1S"]) {
      const error = assertThrows(() => parseTimeout(header), GrpcError);
      assertEquals(error.status, STATUS.INVALID_ARGUMENT);
    }
  });
});
