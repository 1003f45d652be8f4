/** Targets that are asked, before anything is sent, whether they would take it. */
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { forwardTo } from "../../lib/forward/forward_to.ts";
import { type ForwardTarget, TargetUnfit } from "../../lib/forward/target.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { keptLog } from "../sinks/messages.ts";
import { soon, until } from "./until.ts";

const PATTERN = "{recording_id}-{part}.rrd";

type Kind = ForwardTarget["kind"];

/** A target that fails with these errors, one after the other, before it works. */
function failing(errors: readonly Error[], kind: Kind): ForwardTarget & { readonly tries: number } {
  let tries = 0;
  const close = () => Promise.resolve();
  const kinds = {
    messages: { limits: { maxBytes: 1000, maxWaitMs: 0, maxUnderWay: 1 }, send: close },
    files: { maxUnderWay: 1, sendFile: close },
  };
  return {
    ...{ kind, name: "s3://bucket/", close, ...kinds[kind] } as ForwardTarget,
    get tries() {
      return tries;
    },
    check: () => {
      const error = errors[tries++];
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    },
  };
}

async function saving(target: ForwardTarget, isOver: () => boolean) {
  const log = keptLog();
  const forwarder = forwardTo(target, { random: () => 0 });
  const followers = [forwarder];
  const files = memoryFiles();
  const sink = await rrdFileSink({ path: PATTERN, files, log, timer: soon, followers });
  await until(isOver);
  const { stats } = forwarder;
  await sink.close();
  return { log, stats };
}

for (const kind of ["messages", "files"] as const) {
  describe(`forwardTo a target of ${kind} that can be asked`, () => {
    it("says at once, once, what somebody has to change, and tries again until it is", async () => {
      const unfit = new TargetUnfit("s3://bucket/: NoSuchBucket: make the bucket");
      const target = failing([new Error("no route"), unfit, unfit, unfit], kind);
      const { log, stats } = await saving(target, () => target.tries === 5);
      const text = "s3://bucket/ takes nothing now, what is saved waits on the disk: ";
      assertEquals(log.of("warn"), [`${text}no route`]);
      assertEquals(log.of("error"), [`${text}s3://bucket/: NoSuchBucket: make the bucket`]);
      assertEquals([stats.outageSec, stats.sent.messages, stats.lastAckMs], [0, 0, undefined]);
    });

    it("says nothing where it would take something", async () => {
      const target = failing([], kind);
      const { log } = await saving(target, () => target.tries === 1);
      assertEquals([log.of("warn"), log.of("error"), log.of("info").length], [[], [], 0]);
    });

    it("ends while it is asked again and again", async () => {
      const target = failing(Array.from({ length: 1000 }, () => new Error("no route")), kind);
      const { stats } = await saving(target, () => target.tries === 3);
      assertEquals(stats.error, "no route");
    });
  });
}
