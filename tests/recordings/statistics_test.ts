import { describe, it } from "node:test";
import { assert, assertEquals, assertLess } from "@std/assert";
import { statisticsText } from "../../lib/cli/rrd/stats_text.ts";
import { RrdStatistics, TABLE_LIMITS } from "../../lib/recordings/statistics.ts";
import {
  concat,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "../encoding/rrd_builder.ts";
import { arrowMsg } from "../encoding/rrd_builder.ts";
import { fixture } from "../fixtures.ts";
import { scan } from "./inputs.ts";

function statisticsOf(bytes: Uint8Array): RrdStatistics {
  const stats = new RrdStatistics();
  for (const part of scan([bytes]).parts) stats.add(part);
  return stats;
}

function announced(id: string, application_id = "app"): Uint8Array {
  const store_id = { kind: "Recording", id };
  return rrdMessage(setStoreInfo({ ...storeInfoFields(), store_id, application_id }));
}

/** Of a file that has no list of its chunks, and needs none. */
const NO_INDEX = { tally: undefined, isMissing: false };

describe("RrdStatistics", () => {
  it("counts a real recording", () => {
    const bytes = fixture("grpc/0.41.0.saved-by-rerun.rrd");
    const stats = statisticsOf(bytes);
    assertEquals(stats.bytes, bytes.length);
    assertEquals([stats.endMarkers, stats.unreadableChunks], [0, 0]);
    const [recording] = stats.recordings.values();
    assertEquals(recording!.applicationId, "rerun_example_grpc");
    assertEquals(recording!.timelines.get("frame"), { type: "Int64", min: 0n, max: 29n });
    let inEntities = 0;
    for (const { bytes } of recording!.entities.values()) inEntities += bytes;
    assertEquals(inEntities, stats.kinds.get("ArrowMsg")!.bytes);
  });

  it("bounds its tables, and says how much it left out", () => {
    const more = 5;
    const ids = Array.from({ length: TABLE_LIMITS.recordings + more }, (_, i) => `rec-${i}`);
    const stats = statisticsOf(concat(rrdHeader(), ...ids.map((id) => announced(id))));
    assertEquals(stats.recordings.size, TABLE_LIMITS.recordings);
    assertEquals(stats.cut.recordings, more);
    assertEquals(stats.kinds.get("SetStoreInfo")!.messages, ids.length);
    assert(statisticsText("f", stats, NO_INDEX, 80).includes(`${more} of further recordings`));
  });

  it("bounds the text of names", () => {
    const name = "n".repeat(900_000);
    const ids = Array.from({ length: 20 }, (_, i) => `${i}${name.slice(10)}`);
    const stats = statisticsOf(concat(rrdHeader(), ...ids.map((id) => announced(id))));
    assertEquals([stats.recordings.size, stats.cut.recordings], [18, 2]);
  });

  it("goes on over Arrow data that can't be read", () => {
    const stats = statisticsOf(
      concat(rrdHeader(), rrdMessage(arrowMsg({})), announced("rec")),
    );
    assertEquals([stats.unreadableChunks, stats.recordings.size], [1, 1]);
  });

  it("shows nothing that would move the cursor", () => {
    const nasty = "\x1b[2J\u202e\n";
    const stats = statisticsOf(concat(rrdHeader(), announced(nasty, nasty)));
    const text = statisticsText(nasty, stats, NO_INDEX, 80);
    for (const bad of ["\x1b", "\u202e"]) assert(!text.includes(bad), JSON.stringify(text));
    assertLess(text.split("\n").length, 8);
  });
});
