import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import { rowCount } from "../../../lib/encoding/arrow/row_count.ts";
import type { TimelineTime } from "../../../lib/encoding/message_parts.ts";
import { frameOf, isHeavy, isTimed } from "../../../lib/viewers/thin/frame_of.ts";
import { announcement, captured, chunk, staticChunk } from "../messages.ts";

function at(...times: TimelineTime[]): ArrowMsg {
  const { storeId, chunkId, arrow, encoded } = chunk(1, 200) as ArrowMsg;
  return new ArrowMsg(storeId, chunkId, times, undefined, arrow, encoded);
}

const TICK = { name: "log_tick", type: "sequence", time: 7n } as const;
const LOGGED = { name: "log_time", type: "time", time: 8n } as const;

describe("the frame of a message", () => {
  it("is its time on the user's first timeline, a sequence if there is one", () => {
    const stamp = { name: "camera", type: "time", time: 5n } as const;
    const frame = { name: "frame", type: "sequence", time: 3n } as const;
    assertEquals(frameOf(at(stamp, frame, TICK, LOGGED)), '["rec","frame","3"]');
    assertEquals(frameOf(at(stamp, TICK, LOGGED)), '["rec","camera","5"]');
    assertEquals(frameOf(at(TICK, LOGGED)), undefined);
  });

  it("is none of what explains the rest", () => {
    for (const msg of [announcement("rec"), staticChunk(1, "rec")]) {
      assertEquals([frameOf(msg), isTimed(msg), isHeavy(msg)], [undefined, false, false]);
    }
  });
});

describe("heavy", () => {
  it("is what has more than 16 KiB, and more than 4 KiB a row", () => {
    assertEquals([chunk(1, 16_000), chunk(1, 17_000)].map(isHeavy), [false, true]);
    // Of a real program: batches of 8 and of 21 rows, and one of 2 images.
    const large = captured("0.22.1-mixed").filter(({ encoded }) => encoded.bytes.length > 16_384);
    assertEquals(large.map((msg) => rowCount(msg as ArrowMsg)), [8, 2, 21]);
    assertEquals(large.map(isHeavy), [false, true, false]);
  });

  it("is no plot of many small rows", () => {
    const [msg] = captured("0.22.1-mixed").filter((msg) => msg.kind === "ArrowMsg") as ArrowMsg[];
    assertEquals(rowCount(msg!), 1);
    const large = { ...msg!.encoded, bytes: new Uint8Array(20_000) };
    const { storeId, chunkId, timepointMax, arrow } = msg!;
    assertEquals(
      isHeavy(new ArrowMsg(storeId, chunkId, timepointMax, undefined, arrow, large)),
      true,
    );
  });
});
