import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { StoreHeaders } from "../../../lib/comms/grpc/store_headers.ts";
import { CallCut, GrpcError, statusOf } from "../../../lib/comms/grpc/status.ts";
import {
  WriteMessages,
  type WriteMessagesOptions,
} from "../../../lib/comms/grpc/write_messages.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { rrdVersionText } from "../../../lib/encoding/rrd_header.ts";
import { InvalidMessage, MessageLimit, MessageTooLarge } from "../../../lib/base/errors.ts";
import { BufferPool } from "../../../lib/memory/buffer_pool.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { fixture, fixtureJson, sha256 } from "../../fixtures.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { caseRandom, randomPieces, seeded } from "../../random.ts";
import { callBody, field, frame, framesOf, numberField, textField, VERSIONS } from "./frames.ts";
import { cases } from "../../counts.ts";

/** Random cases that are tried. */
const ROUNDS = cases(20_000, 4000);

function call(options: Partial<WriteMessagesOptions> = {}): WriteMessages {
  return new WriteMessages({ dialect: "v1alpha1", headers: new StoreHeaders(), ...options });
}

/** The messages of a call whose body comes in these pieces; each is described before the next piece. */
function read<T>(pieces: Iterable<Uint8Array>, describe: (msg: LogMsg) => T, step = call()): T[] {
  const all: T[] = [];
  for (const piece of pieces) {
    const { items, error } = step.push(piece);
    all.push(...items.map(describe));
    step.body.releaseTaken();
    if (error !== undefined) throw error;
  }
  const { error } = step.finish();
  if (error !== undefined) throw error;
  return all;
}

/** As `expected.json` has it. */
function describeMsg(msg: LogMsg): Record<string, unknown> {
  const storeId = (
    { kind, id, applicationId }: { kind: string; id: string; applicationId?: string },
  ) => ({
    kind,
    id,
    ...(applicationId !== undefined && { application_id: applicationId }),
  });
  if (msg.kind === "SetStoreInfo") {
    return {
      type: msg.kind,
      row_id: `${msg.rowId}`,
      store_id: storeId(msg.info.storeId),
      // The decoder fills it in from the store id, where newer SDKs have it.
      application_id: msg.info.storeId.applicationId === undefined ? msg.info.applicationId : null,
    };
  }
  if (msg.kind !== "ArrowMsg") return { type: msg.kind };
  const { bytes, compression, uncompressedSize } = msg.arrow;
  return {
    type: msg.kind,
    store_id: storeId(msg.storeId),
    chunk_id: msg.chunkId?.toString() ?? null,
    is_static: msg.isStatic === undefined ? null : Number(msg.isStatic),
    compression: compression === "lz4" ? 2 : 1,
    uncompressed_size: uncompressedSize,
    encoding: 1,
    payload_bytes: bytes.length,
    payload_sha256: sha256(bytes),
  };
}

describe("WriteMessages calls of real SDKs", () => {
  for (const version of VERSIONS) {
    const { messages } = fixtureJson(`grpc/${version}-mixed.expected.json`) as {
      messages: unknown[];
    };
    const body = callBody(version);

    it(`${version}: whole, and at 100 random splits`, () => {
      assertEquals(read([body], describeMsg), messages);
      const pool = new BufferPool();
      for (let seed = 1; seed <= 100; seed++) {
        const step = call({ pool, inSlabs: seed % 2 === 0 });
        const actual = read(randomPieces(body, seeded(seed)), describeMsg, step);
        assertEquals(actual, messages, `seed ${seed}`);
      }
    });

    it(`${version}: the first three messages at every split`, () => {
      const three = concat(...framesOf(body).slice(0, 3).map((message) => frame(message)));
      for (let at = 0; at <= three.length; at++) {
        const pieces = [three.subarray(0, at), three.subarray(at)];
        assertEquals(read(pieces, describeMsg), messages.slice(0, 3), `${at}`);
      }
    });

    it(`${version}: each has an RRD header of that SDK, and what .rrd has of it`, () => {
      const requests = framesOf(body);
      const msgs = read([body], (msg) => msg);
      for (const [i, { encoded }] of msgs.entries()) {
        assertEquals(rrdVersionText(encoded.header.version), version);
        assertEquals([encoded.header.serializer, encoded.header.compression], ["protobuf", "lz4"]);
        const length = encoded.bytes.length - 16;
        // The message as the SDK wrote it is the last thing in its request.
        assertEquals(encoded.bytes.slice(16), requests[i]!.slice(-length));
      }
      const file = concat(msgs[0]!.encoded.header.bytes, ...msgs.map((msg) => msg.encoded.bytes));
      const decoder = new RrdDecoder();
      const { items, error = decoder.finish().error } = decoder.push(file);
      assertEquals([error, items.map(describeMsg)], [undefined, messages]);
    });

    it(`${version}: Arrow data is a view on the message's bytes`, () => {
      for (const msg of read([body], (msg) => msg)) {
        if (msg.kind === "ArrowMsg") assert(msg.arrow.bytes.buffer === msg.encoded.bytes.buffer);
      }
    });
  }

  it("are as the real server saved them, message for message", async () => {
    const saved = new RrdDecoder().push(fixture("grpc/0.41.0.saved-by-rerun.rrd"));
    const ours = read([callBody("0.41.0")], (msg) => msg);
    assertEquals(saved.error, undefined);
    assertEquals(await Promise.all(ours.map(content)), await Promise.all(saved.items.map(content)));
    assertEquals(ours[0]!.encoded.header, saved.items[0]!.encoded.header);
  });
});

/** What does not differ between two runs of one program. */
async function content(msg: LogMsg): Promise<unknown> {
  if (msg.kind === "SetStoreInfo") return msg.info;
  if (msg.kind !== "ArrowMsg") return msg.kind;
  const table = await msg.table();
  const plain = (value: unknown): unknown =>
    JSON.stringify(value, (_, v) => typeof v === "bigint" ? String(v) : v);
  const columns = table.schema.fields.map(({ name, type }, i) => {
    const differs = /RowId|log_time|start_time/.test(name);
    return [name, `${type}`, differs || plain([...table.getChildAt(i)!])];
  });
  const { metadata } = table.schema;
  const { storeId, isStatic, arrow: { compression } } = msg;
  return { storeId, isStatic, compression, columns, path: metadata.get("rerun:entity_path") };
}

const STORE = field(1, numberField(1, 1), textField(2, "rec"));
const EMPTY_CHUNK = concat(STORE, numberField(2, 1), numberField(4, 1));

/** A request with one log message of a kind. */
const request = (kind: number, message: Uint8Array) => frame(field(1, field(kind, message)));

const tuid = Uint8Array.of(
  1 << 3 | 1,
  ...new Array(8).fill(7),
  2 << 3 | 1,
  ...new Array(8).fill(8),
);

/** A `SetStoreInfo`; `version` as the four bytes of an RRD header. */
function storeInfo(version?: number[], id = "rec"): Uint8Array {
  const versionField = version === undefined ? new Uint8Array() : field(
    6,
    // One number of 32 bits, as a varint.
    concat(Uint8Array.of(8), varint(version.reduce((sum, byte, i) => sum + byte * 256 ** i, 0))),
  );
  const store = field(2, numberField(1, 1), textField(2, id));
  return concat(field(1, tuid), field(2, store, versionField));
}

function varint(value: number): Uint8Array {
  const bytes = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(rest % 128 + 128);
  return Uint8Array.of(...bytes, rest);
}

describe("large messages", () => {
  it("are put together so that their data lies at a multiple of 8, as in those before", () => {
    const long = (number: number, ...parts: Uint8Array[]) => {
      const value = concat(...parts);
      const head = [number << 3 | 2];
      let rest = value.length;
      for (; rest > 127; rest >>>= 7) head.push(rest & 127 | 128);
      return concat(Uint8Array.of(...head, rest), value);
    };
    const numbers = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
    for (const pool of [undefined, new BufferPool()]) {
      const step = call({ pool });
      for (const id of ["a", "bc", "def"]) {
        const store = field(1, numberField(1, 1), textField(2, id));
        const chunk = concat(store, numberField(2, 1), numberField(4, 1), long(5, numbers));
        const body = frame(long(1, long(2, chunk)));
        const again = concat(body, body, body, body);
        const pieces = Array.from(
          { length: 61 },
          (_, i) => again.subarray(20_000 * i, 20_000 * (i + 1)),
        );
        const places = read(pieces.filter(({ length }) => length > 0), (msg) => {
          assert(msg.kind === "ArrowMsg" && sha256(msg.arrow.bytes) === sha256(numbers));
          return msg.arrow.bytes.byteOffset % 8;
        }, step);
        // The second had begun when the first was whole.
        assertEquals(places.slice(2), [0, 0], id);
      }
    }
  });
});

describe("versions of messages", () => {
  const versions = (step: WriteMessages, ...frames: Uint8Array[]) => {
    const { items, error } = step.push(concat(...frames));
    assertEquals(error, undefined);
    return items.map(({ encoded }) => rrdVersionText(encoded.header.version));
  };

  it("are what the store's last info says, else the first that spoke so", () => {
    const infos = [storeInfo([0, 36, 2, 0]), storeInfo([0, 41, 0, 0]), storeInfo()];
    const frames = infos.flatMap((info) => [request(1, info), request(2, EMPTY_CHUNK)]);
    const actual = versions(call(), request(2, EMPTY_CHUNK), ...frames);
    assertEquals(actual, ["0.23.4", ...["0.36.2", "0.41.0", "0.23.4"].flatMap((v) => [v, v])]);
  });

  it("hold for all calls, and for their store only", () => {
    const headers = new StoreHeaders();
    versions(call({ headers }), request(1, storeInfo([0, 36, 2, 0])));
    assertEquals(versions(call({ headers }), request(2, EMPTY_CHUNK)), ["0.36.2"]);
    const other = concat(
      field(1, numberField(1, 1), textField(2, "other")),
      numberField(2, 1),
      numberField(4, 1),
    );
    assertEquals(versions(call({ headers }), request(2, other)), ["0.23.4"]);
  });

  it("never say what the bytes are not", () => {
    const old = versions(call(), request(1, storeInfo([0, 22, 1, 0])), request(2, EMPTY_CHUNK));
    assertEquals(old, ["0.23.4", "0.23.4"]);
    const v0 = concat(field(1, textField(2, "rec")), numberField(4, 1));
    const step = call({ dialect: "v0" });
    const newer = versions(step, frame(field(1, storeInfo([0, 41, 0, 0]))), frame(field(2, v0)));
    assertEquals(newer, ["0.22.1", "0.22.1"]);
  });

  it("are not put into store infos that do not tell them", () => {
    const { items } = call().push(request(1, storeInfo()));
    assertEquals(items[0]!.kind === "SetStoreInfo" && items[0]!.info.storeVersion, undefined);
  });

  it("are one object each, and are forgotten where there are too many stores", () => {
    const headers = new StoreHeaders();
    const step = call({ headers });
    const { items: [first] } = step.push(request(1, storeInfo([0, 36, 2, 0], "rec")));
    const { items: [again] } = step.push(request(1, storeInfo([0, 36, 2, 0], "again")));
    assert(again!.encoded.header === first!.encoded.header);
    assert(first?.kind === "SetStoreInfo");
    for (let i = 0; i < 12_000; i++) {
      const storeId = { kind: "Recording", id: `rec ${i}` } as const;
      const msg = { ...first, info: { ...first.info, storeId } };
      assert(headers.of(msg, "v1alpha1") === first.encoded.header);
    }
    assert(headers.size <= 10_000, `${headers.size}`);
    assertEquals(versions(step, request(2, EMPTY_CHUNK)), ["0.23.4"]);
  });
});

describe("SDK 0.22's WriteMessages", () => {
  it("has bare messages with the numbers of that time", () => {
    const file = fixture("encodings/0.22.1-mixed-protobuf-lz4.rrd");
    const expected = new RrdDecoder().push(file).items;
    const frames = expected.map(({ encoded: { bytes } }) => {
      const length = bytes.length - 16;
      return frame(concat(Uint8Array.of(bytes[0]! << 3 | 2), varint(length), bytes.subarray(16)));
    });
    const whole = concat(...frames);
    for (let seed = 1; seed <= 20; seed++) {
      const step = call({ dialect: "v0" });
      const actual = read(randomPieces(whole, seeded(seed)), (msg) => msg, step);
      assertEquals(actual.map(describeMsg), expected.map(describeMsg));
      assertEquals(
        actual.map(({ encoded }) => encoded.bytes.slice()),
        expected.map(({ encoded }) => encoded.bytes.slice()),
      );
    }
  });
});

describe("WriteMessages that are not as they should be", () => {
  const good = request(2, EMPTY_CHUNK);
  const refused = (options: Partial<WriteMessagesOptions>, ...frames: Uint8Array[]) => {
    const step = call(options);
    const { items, error } = step.push(concat(good, ...frames, good));
    assertEquals(items.length, 1, "what came before stays");
    assert(error !== undefined);
    assertEquals([step.push(good), step.finish()], [{ items: [] }, { items: [] }]);
    return error;
  };

  it("end the call, each with its status", () => {
    const bad: [number, string, Uint8Array][] = [
      [3, "InvalidMessage", frame(new Uint8Array())],
      [3, "InvalidMessage", frame(field(1))],
      [3, "InvalidMessage", frame(field(1, field(2)))],
      [3, "InvalidMessage", frame(field(1, numberField(2, 1)))],
      [3, "InvalidMessage", frame(Uint8Array.of(0x0a, 0xff))],
      [3, "InvalidMessage", frame(new Uint8Array(100).fill(0xff))],
      [3, "InvalidMessage", request(1, STORE)],
      [13, "GrpcError", frame(good, 1)],
      [12, "GrpcError", frame(good, 2)],
      [8, "MessageTooLarge", frame(new Uint8Array(2000))],
    ];
    for (const [status, name, bytes] of bad) {
      const error = refused({ maxMessageBytes: 1000 }, bytes);
      assertEquals([statusOf(error), error.name], [status, name], error.message);
    }
    const long = concat(field(1, numberField(1, 1), textField(2, "long")), numberField(4, 1));
    const error = refused({ maxTextBytes: 3 }, request(2, long));
    assertInstanceOf(error, MessageLimit);
    assertEquals(statusOf(error), 8);
  });

  it("are read all the same with fields that nobody knows, or twice: the last counts", () => {
    const message = field(2, EMPTY_CHUNK);
    const other = field(2, field(1, numberField(1, 1), textField(2, "x")), numberField(4, 1));
    const odd = [
      concat(field(1, message), field(9, Uint8Array.of(1, 2))),
      concat(numberField(7, 5), field(1, message)),
      concat(field(1, other), field(1, message)),
      field(1, numberField(14, 1), message),
    ];
    const { items: [expected] } = call().push(good);
    for (const bytes of odd) {
      const { items, error } = call().push(concat(frame(bytes), frame(bytes)));
      assertEquals(error, undefined);
      assertEquals(items.map((msg) => msg.encoded.bytes.slice()), [
        expected!.encoded.bytes.slice(),
        expected!.encoded.bytes.slice(),
      ]);
    }
  });

  it("of kinds to come are carried through", () => {
    const { items } = call().push(request(4, Uint8Array.of(1, 2, 3)));
    assertEquals(items[0]!.kind === "UnknownMsg" && items[0]!.name, "4");
    assertEquals(
      items[0]!.encoded.bytes.slice(),
      Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3),
    );
  });

  it("cut anywhere give what was whole, and say that it was cut", () => {
    const whole = concat(...framesOf(callBody("0.41.0")).slice(0, 3).map((m) => frame(m)));
    const ends = framesOf(whole).reduce((all, m) => [...all, all.at(-1)! + 5 + m.length], [0]);
    for (let cut = 0; cut <= whole.length; cut++) {
      const step = call();
      const { items, error } = step.push(whole.subarray(0, cut));
      assertEquals(error, undefined);
      assertEquals(items.length, ends.filter((end) => end <= cut).length - 1);
      const cutError = step.finish().error;
      if (ends.includes(cut)) assertEquals(cutError, undefined);
      else assertInstanceOf(cutError, CallCut);
    }
  });

  it("mutated thousands of times give nothing but the listed errors, and what came before", () => {
    const bodies = VERSIONS.map((version) =>
      concat(...framesOf(callBody(version)).slice(0, 4).map((message) => frame(message)))
    );
    const first = call().push(bodies[0]!).items[0]!;
    const tally = { good: 0, refused: 0 };
    for (let index = 0; index < ROUNDS; index++) {
      const random = caseRandom(18, index);
      const bytes = bodies[index % bodies.length]!.slice();
      for (let n = 1 + random() * 3; n > 0; n--) {
        // Near the beginning: heads and envelopes are there, behind them lies Arrow data.
        bytes[Math.floor(random() ** 4 * bytes.length)] = random() * 256;
      }
      const step = call({ maxMessageBytes: 1 << 20 });
      let error: Error | undefined;
      for (const piece of randomPieces(bytes, random)) {
        error ??= step.push(piece).error;
        assert(step.body.unfinishedBytes < 2 << 20);
      }
      error ??= step.finish().error;
      if (error === undefined) tally.good++;
      else if (
        error instanceof InvalidMessage || error instanceof MessageTooLarge ||
        error instanceof GrpcError
      ) tally.refused++;
      else throw new Error(`case ${index}`, { cause: error });
    }
    assert(tally.refused > ROUNDS / 10 && tally.good > ROUNDS / 10, JSON.stringify(tally));
    assertEquals(describeMsg(call().push(bodies[0]!).items[0]!), describeMsg(first));
  });
});
