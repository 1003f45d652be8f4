import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { StreamMessage } from "../../lib/nats/stream_reader.ts";
import { NatsParts } from "../../lib/server/nats_parts.ts";
import { NatsProgress } from "../../lib/server/nats_progress.ts";

const HOUR_MS = 3_600_000;
const never = () => {
  throw new Error("nothing has to be read again");
};

function message(subject: string, seq: number, storedMs: number): StreamMessage {
  const data = new Uint8Array(1);
  return { subject, seq, storedMs, pending: 0, data, header: () => "" };
}

function headers(index: number) {
  return { box: "b", run: "r", file: "f", numbers: [1], part: { index, count: 3, bytes: 3 } };
}

describe("NatsParts", () => {
  it("gives up a message of which nothing more came for an hour, so that the position moves", async () => {
    const progress = new NatsProgress(0);
    const told: unknown[] = [];
    const limits = { maxMessageBytes: 100, maxUnfinishedBytes: 10_000 };
    const parts = new NatsParts(limits, progress, () => {}, (...what) => told.push(what));
    await parts.take(message("a", 1, 0), headers(0), never);
    await parts.take(message("b", 2, 0), headers(0), never);
    parts.look(HOUR_MS / 2);
    await parts.take(message("b", 3, HOUR_MS / 2), headers(1), never);
    parts.look(HOUR_MS);
    assertEquals([progress.position, told], [0, []]);
    parts.look(HOUR_MS + 60_000);
    const why = "its box has sent nothing more of it for an hour";
    assertEquals([progress.position, told], [1, [["a", 1, why]]]);
    const { is } = await parts.take(message("a", 4, HOUR_MS), headers(1), never);
    assertEquals(is, "refused");
  });

  it("tells nothing of one that begins anew, and moves no position when it ends", async () => {
    const progress = new NatsProgress(0);
    const told: unknown[] = [];
    let held = 0;
    const limits = { maxMessageBytes: 100, maxUnfinishedBytes: 10_000 };
    const parts = new NatsParts(limits, progress, (more) => held += more, () => told.push(1));
    await parts.take(message("a", 1, 0), headers(0), never);
    await parts.take(message("a", 2, 0), headers(0), never);
    assertEquals([progress.position, told], [1, []]);
    parts.close();
    assertEquals([progress.position, told, held], [1, [], 0]);
  });
});
