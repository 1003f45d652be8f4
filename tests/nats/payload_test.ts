import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { PacketDecoder } from "../../lib/encoding/rrd/packet_decoder.ts";
import { parseNatsAddress } from "../../lib/nats/address.ts";
import { MAX_MESSAGES } from "../../lib/nats/headers.ts";
import { partsOf, payloadOf, publishRuns } from "../../lib/nats/payload.ts";
import { CAPTURES } from "../fixtures.ts";
import { capturedMessages, numbered } from "../forward/batches.ts";

describe("payloads in NATS", () => {
  it("are streams as in an SDK's packet, one header each, within their limits", () => {
    const limits = { maxBatchBytes: 4000, maxPayloadBytes: 100_000 };
    for (const name of CAPTURES) {
      const messages = numbered(capturedMessages(name));
      const runs = [...publishRuns(messages, limits)];
      assertEquals(runs.flat(), messages);
      for (const run of runs) {
        const payload = payloadOf(run);
        assert(run.length === 1 || payload.length <= limits.maxBatchBytes);
        const { items, error } = new PacketDecoder().push([payload]);
        assertEquals(error, undefined);
        assertEquals(items.map(({ kind }) => kind), run.map(({ msg }) => msg.kind));
      }
    }
  });

  it("have as many messages as their header can name", () => {
    const [msg] = capturedMessages("0.22.1-mixed");
    const messages = numbered(Array.from({ length: MAX_MESSAGES + 1 }, () => msg!));
    const limits = { maxBatchBytes: 1e9, maxPayloadBytes: 1e9 };
    assertEquals([...publishRuns(messages, limits)].map((run) => run.length), [MAX_MESSAGES, 1]);
  });

  it("are looked for one by one: a batch may have tens of thousands of messages", () => {
    const [msg] = capturedMessages("0.22.1-mixed");
    let looked = 0;
    const messages = Array.from({ length: 20 * MAX_MESSAGES }, (_, number) => ({
      number,
      get msg() {
        looked++;
        return msg!;
      },
    }));
    const [run] = publishRuns(messages, { maxBatchBytes: 1e9, maxPayloadBytes: 1e9 });
    assertEquals(run!.length, MAX_MESSAGES);
    assert(looked <= 2 * MAX_MESSAGES + 2, `${looked} looks`);
  });

  it("are cut into parts where they are too large", () => {
    const payload = Uint8Array.from({ length: 10 }, (_, i) => i);
    assertEquals(partsOf(payload, 4).map((part) => [...part]), [[0, 1, 2, 3], [4, 5, 6, 7], [
      8,
      9,
    ]]);
    assertEquals(partsOf(payload, 10).length, 1);
  });
});

describe("parseNatsAddress", () => {
  it("reads servers, and who we are, and keeps that out of the name", () => {
    assertEquals(parseNatsAddress("nats://me:p%40ss@a:4222,[::1]"), {
      servers: ["a:4222", "[::1]:4222"],
      name: "nats://a:4222,[::1]:4222",
      tls: false,
      user: "me",
      password: "p@ss",
    });
    assertEquals(parseNatsAddress("tls://secret@a").token, "secret");
  });

  it("refuses what is none, without saying what may be secret", () => {
    for (
      const text of ["http://a", "nats://", "nats://a:99999", "nats://u:p@a b", "nats://%:x%@a"]
    ) {
      try {
        parseNatsAddress(text);
        assert(false, text);
      } catch (error) {
        assert(error instanceof RangeError, text);
        assert(!error.message.includes("u:p"), error.message);
      }
    }
  });
});
