import { describe, it } from "node:test";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { concatReadableStreams, toArrayBuffer } from "@std/streams";
import { PacketStream } from "../../lib/comms/sdk/packet_stream.ts";
import { RrdDecodeStream } from "../../lib/encoding/rrd/rrd_decode_stream.ts";
import { NotAnRrd, TruncatedPacket, TruncatedRrd } from "../../lib/base/errors.ts";
import { each, inBand, stage } from "../in_band.ts";
import type { Step, StepResult } from "../../lib/base/step.ts";
import { capturePackets, fixture } from "../fixtures.ts";
import { concat } from "../encoding/rrd_builder.ts";

/** Adds up: fails at 13, and at the end if it ends on an odd number. */
class Adder implements Step<number, number> {
  #last = 0;
  push(input: number): StepResult<number> {
    if (input === 13) return { items: [0], error: new Error("thirteen") };
    this.#last = input;
    return { items: [input, input + 1] };
  }
  finish(): StepResult<number> {
    return this.#last % 2 ? { items: [-1], error: new Error("odd") } : { items: [-1] };
  }
}

/** Reads one by one, a macrotask apart, so that queues fill behind it. */
async function slowly<T>(stream: ReadableStream<T>): Promise<{ read: T[]; error?: unknown }> {
  const reader = stream.getReader();
  const read: T[] = [];
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return { read };
      read.push(value);
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 0));
    }
  } catch (error) {
    return { read, error };
  }
}

describe("StepStream", () => {
  const hello = Uint8Array.of(1, 0, ...new TextEncoder().encode("rerun"));

  it("errors only once all before the error was read", async () => {
    const bytes = concat(hello, Uint8Array.of(1, 0, 0, 0, 5, 2, 0, 0, 0, 6, 6, 9, 0, 0, 0, 1));
    const { read, error } = await slowly(
      ReadableStream.from([bytes]).pipeThrough(new PacketStream()),
    );
    assertEquals(read, [[Uint8Array.of(5), Uint8Array.of(6, 6)]]);
    assertInstanceOf(error, TruncatedPacket);
  });

  it("errors with what is wrong with the data", async () => {
    const good = fixture("encodings/0.22.1-mixed-msgpack-off.rrd");
    const read = (...pieces: Uint8Array[]) =>
      slowly(ReadableStream.from(pieces).pipeThrough(new RrdDecodeStream()));
    const whole = await read(good);
    assertEquals([whole.read.flat().length, whole.error], [34, undefined]);
    const cut = await read(good.subarray(0, -20));
    assertEquals(cut.read.flat().length, 33);
    assertInstanceOf(cut.error, TruncatedRrd);
    assertInstanceOf((await read(new Uint8Array(12))).error, NotAnRrd);
  });

  it("cancels its source when it is canceled", async () => {
    let canceled: unknown;
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(concat(hello, Uint8Array.of(1, 0, 0, 0, 5))),
      cancel: (reason) => void (canceled = reason),
    });
    const reader = source.pipeThrough(new PacketStream()).getReader();
    await reader.read();
    await reader.cancel("enough");
    assertEquals(canceled, "enough");
  });

  it("is a TransformStream", () => {
    assertInstanceOf(new PacketStream(), TransformStream);
    assertInstanceOf(new RrdDecodeStream(), TransformStream);
  });
});

describe("in-band stages", () => {
  /** Errors by their text, since their stacks differ. */
  const plain = ({ items, error }: StepResult<number>) =>
    error === undefined ? { items } : { items, error: error.message };
  const observer = { onAsk: () => {}, onAnswer: () => {}, onEnd: () => undefined };
  /** Chunks of one byte → that byte. */
  const byte: Step<Uint8Array, number> = {
    push: (chunk) => ({ items: [chunk[0]!] }),
    finish: () => ({ items: [] }),
  };
  const run = (source: ReadableStream<Uint8Array>) =>
    slowly(
      inBand(source, observer).pipeThrough(stage(each(byte)))
        .pipeThrough(stage(each(new Adder()))).pipeThrough(stage(each(new Adder()))),
    );
  const chunks = (...bytes: number[]) => ReadableStream.from(bytes.map((b) => Uint8Array.of(b)));

  it("pass on the items, then those of the end", async () => {
    const { read, error } = await run(chunks(2, 4));
    assertEquals(error, undefined);
    assertEquals(read.map(plain), [{ items: [2, 3, 3, 4] }, { items: [4, 5, 5, 6] }, {
      items: [-1, 0],
    }, {
      items: [-1],
      error: "odd",
    }]);
  });

  it("deliver all before a step's error, and nothing after it", async () => {
    const { read } = await run(chunks(2, 13, 6));
    assertEquals(read.map(plain), [{ items: [2, 3, 3, 4] }, { items: [0, 1], error: "thirteen" }]);
  });

  it("deliver all before a source's error, a slow reader or not", async () => {
    let pulls = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (++pulls > 3) controller.error(new Error("reset"));
        else controller.enqueue(Uint8Array.of(2 * pulls));
      },
    }, { highWaterMark: 0 });
    const { read, error } = await run(source);
    assertEquals(error, undefined);
    assertEquals(read.flatMap(({ items }) => items), [2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8]);
    assertEquals(read.at(-1)?.error?.message, "reset");
  });

  it("cancel the source after an error", async () => {
    let canceled = false;
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Uint8Array.of(13)),
      cancel: () => void (canceled = true),
    });
    await run(source);
    assertEquals(canceled, true);
  });
});

describe("PacketStream and RrdDecodeStream together", () => {
  it("read several files one after the other", async () => {
    const names = ["msgpack-off", "protobuf-lz4", "msgpack-lz4"];
    const files = names.map((name) => fixture(`encodings/0.22.1-mixed-${name}.rrd`));
    const together = concatReadableStreams(...files.map((file) => new Blob([file]).stream()));
    const bytes = new Uint8Array(
      await toArrayBuffer(concatReadableStreams(...files.map((file) => new Blob([file]).stream()))),
    );
    assertEquals(bytes, concat(...files));
    const messages = await Array.fromAsync(together.pipeThrough(new RrdDecodeStream()));
    assertEquals(messages.flat().length, 3 * 34);
  });

  it("read a recorded connection", async () => {
    const packets = await Array.fromAsync(
      new Blob([fixture("captures/0.20.3-mixed.bin")]).stream().pipeThrough(new PacketStream()),
    );
    assertEquals(packets.flat(), capturePackets("0.20.3-mixed"));
    const messages = await Array.fromAsync(
      ReadableStream.from(packets.flat()).pipeThrough(new RrdDecodeStream()),
    );
    assertEquals(messages.flat().length, packets.flat().length);
  });
});
