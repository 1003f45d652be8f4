import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { ArrowEnvelopes } from "../../../lib/encoding/protobuf/arrow_envelope.ts";
import { DECODE_LIMITS, type DecodeLimits } from "../../../lib/encoding/limits.ts";
import { decodeProtobufLogMsg } from "../../../lib/encoding/protobuf/protobuf_log_msg.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { RerelayError } from "../../../lib/base/errors.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import type { Encoded } from "../../../lib/encoding/message_parts.ts";
import { fixture } from "../../fixtures.ts";
import { grpcMessages } from "../../grpc_frames.ts";
import { seeded } from "../../random.ts";
import { cases } from "../../counts.ts";

/** Random cases that are tried. */
const MUTANTS = cases(30_000, 6000);

const MESSAGES = {
  v0: ["off", "lz4"].flatMap((how) =>
    new RrdDecoder().push(fixture(`encodings/0.22.1-mixed-protobuf-${how}.rrd`)).items
  ),
  v1alpha1: ["0.23.4", "0.36.2", "0.41.0"].flatMap((version) => grpcMessages(`${version}-mixed`)),
};

/** What the complete reader says, or that it refuses. */
function complete(
  dialect: "v0" | "v1alpha1",
  encoded: Encoded,
  limits = DECODE_LIMITS,
): LogMsg | undefined {
  try {
    return decodeProtobufLogMsg(2, encoded.bytes.subarray(16), dialect, encoded, limits);
  } catch (error) {
    if (!(error instanceof RerelayError)) throw error;
    return undefined;
  }
}

for (const dialect of ["v0", "v1alpha1"] as const) {
  const chunks = MESSAGES[dialect].filter((msg) => msg.kind === "ArrowMsg");

  describe(`envelopes of ArrowMsg, ${dialect}`, () => {
    it("are read as the complete reader reads them, all that SDKs sent", () => {
      const envelopes = new ArrowEnvelopes(dialect, DECODE_LIMITS);
      for (const { encoded } of chunks) {
        const msg = envelopes.decode(encoded.bytes, 16, encoded);
        assert(msg !== undefined);
        assertEquals(msg, complete(dialect, encoded) as typeof msg);
        assertEquals(
          msg.arrow.bytes.byteOffset,
          (complete(dialect, encoded) as typeof msg).arrow.bytes.byteOffset,
        );
      }
    });

    it("share the id of their store", () => {
      const envelopes = new ArrowEnvelopes(dialect, DECODE_LIMITS);
      const ids = chunks.slice(0, 4).map(({ encoded }) =>
        envelopes.decode(encoded.bytes, 16, encoded)!.storeId
      );
      assert(ids.every((id) => id === ids[0]));
    });

    it("are left to the complete reader where it would refuse them", () => {
      const { encoded } = chunks.at(-1)!;
      const tight: DecodeLimits[] = [{ maxMessageBytes: 100 }, { maxLz4Ratio: 0.01 }];
      for (const limits of tight) {
        const all = { ...DECODE_LIMITS, ...limits };
        const msg = new ArrowEnvelopes(dialect, all).decode(encoded.bytes, 16, encoded);
        // Below 16 MiB the ratio is LZ4's own.
        if (complete(dialect, encoded, all) === undefined) assertEquals(msg, undefined);
      }
    });

    it("mutated thousands of times are never read otherwise", () => {
      const envelopes = new ArrowEnvelopes(dialect, DECODE_LIMITS);
      const tally = { fast: 0, slow: 0, refused: 0 };
      for (let seed = 1; seed <= MUTANTS; seed++) {
        const random = seeded(seed);
        const { encoded } = chunks[seed % chunks.length]!;
        let bytes = encoded.bytes.slice(0, random() < 0.2 ? 16 + random() * 100 : undefined);
        for (let n = 1 + random() * 2; n > 0; n--) {
          const isFront = random() < 0.8;
          const at = isFront ? random() * 50 : bytes.length - 16 - random() * 40;
          bytes[16 + Math.floor(at)] = random() < 0.3 ? 0xff : random() * 256;
        }
        if (random() < 0.1) bytes = bytes.subarray(0, bytes.length - random() * 30);
        const mutant = { ...encoded, bytes };
        const expected = complete(dialect, mutant);
        let msg;
        try {
          msg = envelopes.decode(bytes, 16, mutant);
        } catch (error) {
          // The id of a store that is wrong.
          if (!(error instanceof RerelayError)) throw new Error(`seed ${seed}`, { cause: error });
          assertEquals(expected, undefined, `seed ${seed}`);
        }
        if (msg !== undefined) assertEquals(msg as LogMsg, expected, `seed ${seed}`);
        tally[msg !== undefined ? "fast" : expected !== undefined ? "slow" : "refused"]++;
      }
      assert(tally.fast > MUTANTS / 6 && tally.refused > MUTANTS / 6, JSON.stringify(tally));
      assert(tally.slow > MUTANTS / 1500, JSON.stringify(tally));
    });
  });
}
