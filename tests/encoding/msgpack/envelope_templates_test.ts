import { encode } from "@msgpack/msgpack";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { KnownEnvelopes } from "../../../lib/encoding/msgpack/known_envelopes.ts";
import { EnvelopeTemplates } from "../../../lib/encoding/msgpack/envelope_templates.ts";
import { decodeMsgpackLogMsg } from "../../../lib/encoding/msgpack/msgpack_log_msg.ts";
import { decodeRrdHeader, RRD_HEADER_BYTES } from "../../../lib/encoding/rrd_header.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { capturePackets, CAPTURES } from "../../fixtures.ts";
import { seeded } from "../../random.ts";
import { concat, encodeMsgpack } from "../rrd_builder.ts";

const MESSAGE_HEADER_BYTES = 8;
const HEADER = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0));

/** A payload's message, or the text of its error. */
function decode(payload: Uint8Array, templates?: EnvelopeTemplates): LogMsg | string {
  const encoded = { header: HEADER, bytes: payload } as const;
  try {
    return decodeMsgpackLogMsg(payload, 0, payload.length, encoded, undefined, templates);
  } catch (error) {
    return String(error);
  }
}

/** Decodes them in order with templates; each must be what it is without. */
function decodeAll(payloads: readonly Uint8Array[]): (LogMsg | string)[] {
  const templates = new EnvelopeTemplates();
  return payloads.map((payload) => {
    const msg = decode(payload, templates);
    assertEquals(msg, decode(payload));
    return msg;
  });
}

function payloadsOf(capture: string): Uint8Array[] {
  return capturePackets(capture).map((packet) =>
    packet.slice(RRD_HEADER_BYTES + MESSAGE_HEADER_BYTES)
  );
}

/** An envelope as SDKs write it, of any integers and names. */
function envelope(id: string, timeline: string, time: unknown, data: Uint8Array): Uint8Array {
  const compact = (value: unknown) => encode(value, { useBigInt64: true });
  return concat(
    Uint8Array.of(0x81),
    compact("ArrowMsg"),
    Uint8Array.of(0x92),
    compact({ kind: "Recording", id }),
    Uint8Array.of(0x93),
    compact({ time_ns: 0x18eaaaaaaaaaaaaan, inc: 2n ** 63n }),
    Uint8Array.of(0x81),
    compact({ name: timeline, typ: "Sequence" }),
    compact(time),
    compact(data),
  );
}

describe("EnvelopeTemplates", () => {
  for (const name of CAPTURES) {
    it(`${name}: finds what reading finds, and repeats that SDK's envelopes`, () => {
      const payloads = payloadsOf(name);
      const msgs = decodeAll([...payloads, ...payloads]);
      const arrow = msgs.filter((msg) => typeof msg !== "string" && msg.kind === "ArrowMsg");
      // A template hands on the store id it was made with.
      const ids = new Set(arrow.map((msg) => (msg as { storeId: unknown }).storeId));
      assert(ids.size <= arrow.length / 2, `${ids.size} of ${arrow.length}`);
    });
  }

  it("finds what reading finds, whatever is damaged", () => {
    const random = seeded(1);
    const good = payloadsOf("0.22.1-mixed").filter((payload) => payload.length < 4000);
    for (let round = 0; round < 30; round++) {
      decodeAll(good.flatMap((payload) => {
        const bad = payload.slice(0, random() < 0.2 ? random() * payload.length : payload.length);
        // Most flips hit the envelope, which is what matters here.
        for (let flips = 1 + random() * 3; flips > 1; flips--) {
          bad[Math.floor(random() * Math.min(bad.length, 220))]! ^= 1 << Math.floor(random() * 8);
        }
        return [payload, bad, payload];
      }));
    }
  });

  it("reads times of every width, and leaves those that must not be to the reader", () => {
    const data = new Uint8Array(40);
    const times: (bigint | number | null)[] = [null];
    for (let bits = 0n; bits < 64n; bits++) {
      times.push(2n ** bits - 1n, 2n ** bits, -(2n ** bits), -(2n ** bits) + 1n);
    }
    const small = (time: bigint | number | null) =>
      typeof time === "bigint" && time >= -(2n ** 31n) && time < 2n ** 32n ? Number(time) : time;
    const payloads = times.flatMap((time) => [time, small(time)])
      .filter((time) => typeof time !== "bigint" || time < 2n ** 64n)
      .map((time) => envelope("rec", "frame", time, data));
    const msgs = decodeAll([...payloads, ...payloads]);
    assert(msgs.some((msg) => typeof msg === "string" && msg.includes("Invalid time")));
    // Twice in a row: the second is read by the template of the first.
    decodeAll(payloads.flatMap((payload) => [payload, payload]));
  });

  it("reads data of every length, and none that is cut", () => {
    const payloads = [0, 1, 255, 256, 65_535, 65_536].flatMap((length) => {
      const payload = envelope("rec", "frame", 1, new Uint8Array(length));
      return [payload, payload.subarray(0, -1), concat(payload, Uint8Array.of(1, 2, 3))];
    });
    decodeAll([...payloads, ...payloads]);
  });

  it("reads what it makes no template of", () => {
    const data = new Uint8Array(9);
    const payloads = [
      envelope("ü".repeat(5), "frame", 1, data),
      envelope("rec", "Zeit ü", 1, data),
      envelope("x".repeat(60), "y".repeat(90), 1, data),
      envelope("x".repeat(2000), "frame", 1, data),
      envelope("x".repeat(300), "frame", 1, data),
      encodeMsgpack({ ArrowMsg: [{ id: "rec", kind: "Recording" }, []] }),
      encodeMsgpack({ SetStoreInfo: {} }),
      new Uint8Array(3),
      new Uint8Array(0),
    ];
    decodeAll([...payloads, ...payloads, ...payloads]);
  });

  it("tells apart envelopes that alternate, and gives up where nothing repeats", () => {
    const data = new Uint8Array(9);
    const names = Array.from({ length: 300 }, (_, i) => `timeline ${i}`);
    const unlike = names.map((name, i) => envelope("rec", name, i, data));
    const alike = ["a", "b", "c"].flatMap((name) => envelope("rec", name, 1, data));
    const msgs = decodeAll([...alike, ...alike, ...alike, ...unlike, ...alike]);
    const ids = msgs.slice(0, 9).map((msg) => (msg as { storeId: unknown }).storeId);
    assertEquals(new Set(ids).size, 3);
  });

  it("knows the envelopes of hundreds of recordings that alternate, also of several kinds", () => {
    const data = new Uint8Array(9);
    const round = Array.from({ length: 100 }, (_, i) => `r${i * 13}`).flatMap((id) =>
      ["frame", "tick"].map((timeline) => envelope(id, timeline, 1, data))
    );
    // Each round a few more are known.
    const msgs = decodeAll(Array.from({ length: 45 }, () => round).flat());
    const storeIds = msgs.map((msg) => (msg as { storeId: unknown }).storeId);
    assertEquals(new Set(storeIds.slice(-2 * round.length)).size, round.length);
  });

  it("knows the envelopes of other streams that share them", () => {
    const known = new KnownEnvelopes();
    const ids = Array.from({ length: 20 }, (_, i) => `recording ${i}`);
    const payloads = ids.map((id) => envelope(id, "frame", 1, new Uint8Array(9)));
    const [first, second, alone] = [known, known, undefined].map((known) => {
      const templates = new EnvelopeTemplates(known);
      // Twice in a row: the second is read by the template of the first, so the next one gets one, too.
      const msgs = payloads.map((payload) => [1, 2].map(() => decode(payload, templates))[1]!);
      return msgs.map((msg) => (msg as { storeId: unknown }).storeId);
    });
    assertEquals(alone, first);
    const shared = (others: unknown[]) => first!.filter((id, i) => id === others[i]).length;
    // All but those that a stream remembers by itself.
    assert(shared(second!) >= 16, `${shared(second!)} envelopes`);
    assertEquals(shared(alone!), 0);
  });

  it("keeps a bounded number of envelopes, and still finds what reading finds", () => {
    const data = new Uint8Array(9);
    for (const length of [3, 200]) {
      const ids = Array.from({ length: 1200 }, (_, i) => `${i}`.padStart(length, "x"));
      // Twice in a row: the second is read by the template of the first, so the next one gets one, too.
      const round = ids.flatMap((id) => Array(2).fill(envelope(id, "frame", 1, data)));
      const msgs = decodeAll([...round, ...round]);
      const storeIds = msgs.map((msg) => (msg as { storeId: unknown }).storeId);
      // When their turn comes again, none of the first round is left.
      assertEquals(new Set(storeIds).size, 2 * ids.length);
    }
  });
});
