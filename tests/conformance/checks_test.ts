/** The conformance tests' own checks: they must see every fault they are there for. */
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { CAPTURES, expectedCapture, fixture } from "../fixtures.ts";
import { checkSaved } from "./checks.ts";
import { type CutConnection, cutConnection } from "./cutter.ts";

const END_MARKER = new Uint8Array(8);

const connection = (name: string) => cutConnection(fixture(`captures/${name}.bin`));

function file(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

const bytesOf = ({ messages }: CutConnection) => messages.map(({ bytes }) => bytes);
const headerOf = ({ messages }: CutConnection) => messages[0]!.header;

describe("conformance: cutting a connection", () => {
  for (const name of CAPTURES) {
    it(name, () => {
      const expected = expectedCapture(name).packets;
      const { packets, messages, rest } = connection(name);
      assertEquals(
        { packets, messages: messages.length, rest },
        { packets: expected.length, messages: expected.flatMap((p) => p.messages).length, rest: 0 },
      );
    });
  }

  it("counts what a broken connection leaves behind", () => {
    const whole = fixture("captures/0.22.1-mixed.bin");
    const { packets, rest } = cutConnection(whole.subarray(0, whole.length - 1));
    const { packets: last } = expectedCapture("0.22.1-mixed");
    assertEquals({ packets, rest }, { packets: 33, rest: 4 + last.at(-1)!.packet_bytes - 1 });
  });
});

describe("conformance: checking a file", () => {
  const a = connection("0.22.1-mixed");
  const b = connection("0.22.1-blueprint");
  const old = connection("0.18.2-mixed");
  const header = headerOf(a);
  const [first, ...others] = bytesOf(a);
  const fails = (parts: readonly Uint8Array[], connections: CutConnection[], text: string) =>
    void assertThrows(() => checkSaved(file(parts), connections), Error, text);

  it("takes one connection, and two however they mix", () => {
    checkSaved(file([header, ...bytesOf(a), END_MARKER]), [a]);
    const [left, right] = [bytesOf(b), bytesOf(a)];
    const mixed = left.flatMap((bytes, i) => [bytes, ...right.slice(2 * i, 2 * i + 2)]);
    checkSaved(file([header, ...mixed, END_MARKER]), [a, b]);
    checkSaved(file([headerOf(old), ...bytesOf(old)]), [old]);
  });

  it("sees a changed byte", () => {
    const changed = others.at(-1)!.slice();
    changed[changed.length - 1]! ^= 1;
    const parts = [header, first!, ...others.slice(0, -1), changed, END_MARKER];
    fails(parts, [a], "message 33 of the file is not the next of any connection");
  });

  it("sees a missing, a repeated and a misplaced message", () => {
    const cut = bytesOf(a).slice(0, -1);
    fails([header, ...cut, END_MARKER], [a], "only 33 of the 34 messages of connection 0");
    fails([header, first!, first!, ...others, END_MARKER], [a], "message 1 of the file");
    const swapped = [first!, others[1]!, others[0]!, ...others.slice(2)];
    fails([header, ...swapped, END_MARKER], [a], "message 1 of the file");
    fails([header, ...bytesOf(a), END_MARKER], [a, b], "only 0 of the 21 messages of connection 1");
  });

  it("sees another header, and a second one", () => {
    fails([headerOf(old), ...bytesOf(a), END_MARKER], [a], "is not that of its first message");
    fails([header, first!, header, ...others, END_MARKER], [a], "two lengths differ");
  });

  it("sees a wrong end", () => {
    const all = bytesOf(a);
    fails([header, ...all], [a], "lacks its end marker");
    fails([headerOf(old), ...bytesOf(old), END_MARKER], [old], "has an end marker");
    fails([header, ...all, END_MARKER, END_MARKER], [a], "8 bytes behind the end marker");
    fails([header, ...all, END_MARKER.subarray(1)], [a], "7 bytes too many");
    fails([header, ...all.slice(0, -1), all.at(-1)!.subarray(1)], [a], "two lengths differ");
    fails([header, ...all.slice(0, -1), all.at(-1)!.subarray(0, -1)], [a], "ends 1 short");
  });
});
