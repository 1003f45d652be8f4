/**
 * What a robot logs, as packets of SDK 0.22.1 whose chunks are whole and end with a mark: a viewer that
 * finds it in its bytes has the message, through whichever door it came.
 */
import {
  Field,
  Int64,
  makeData,
  Schema,
  Struct,
  Table,
  tableToIPC,
  vectorFromArray,
} from "apache-arrow";
import { Binary, RecordBatch } from "apache-arrow";
import {
  concat,
  encodeMsgpack,
  Entries,
  framed,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
} from "../encoding/rrd_builder.ts";

/** Left and right picture of a frame, points, a scalar. */
export type Kind = "L" | "R" | "P" | "S";

/** What a mark tells. */
export interface Mark {
  readonly kind: Kind;
  readonly frame: number;
  readonly number: number;
  /** When it was logged, in milliseconds. */
  readonly atMs: number;
}

const BEGIN = "@@E";
const MARK_LENGTH = 3 + 1 + 8 + 10 + 14;
const encoder = new TextEncoder();

function markOf({ kind, frame, number, atMs }: Mark): Uint8Array {
  const digits = (value: number, count: number) => String(Math.round(value)).padStart(count, "0");
  return encoder.encode(
    `${BEGIN}${kind}${digits(frame, 8)}${digits(number, 10)}${digits(atMs, 14)}`,
  );
}

/** The marks in a stream of bytes, in pieces of any size. */
export class Marks {
  #rest: Buffer = Buffer.alloc(0);

  /** Those that are whole with the next piece. */
  *push(bytes: Uint8Array): Iterable<Mark> {
    const next = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    // A mark across the border, and then all within.
    const border = Buffer.concat([this.#rest, next.subarray(0, MARK_LENGTH - 1)]);
    yield* marksIn(border, this.#rest.length);
    yield* marksIn(next, next.length);
    const all = next.length >= MARK_LENGTH ? next : Buffer.concat([this.#rest, next]);
    this.#rest = Buffer.from(all.subarray(Math.max(0, all.length - MARK_LENGTH + 1)));
  }
}

function* marksIn(bytes: Buffer, before: number): Iterable<Mark> {
  for (let at = bytes.indexOf(BEGIN); at >= 0 && at < before; at = bytes.indexOf(BEGIN, at + 1)) {
    const text = bytes.toString("latin1", at + 3, at + MARK_LENGTH);
    const [, kind, frame, number, atMs] = /^([LRPS])(\d{8})(\d{10})(\d{14})$/.exec(text) ?? [];
    if (kind === undefined) continue;
    yield {
      kind: kind as Kind,
      frame: Number(frame),
      number: Number(number),
      atMs: Number(atMs),
    };
  }
}

const HEADER = rrdHeader();
const PATHS: Readonly<Record<Kind, string>> = {
  L: "/camera/left",
  R: "/camera/right",
  P: "/points",
  S: "/plots/scalar",
};

/** Stand where each message has numbers of its own, as 64 bits. */
const NUMBER_PLACE = 0x7171_7171_7171_7171n;
const FRAME_PLACE = 0x7272_7272_7272_7272n;

/** A packet with a whole chunk of one row, whose last column ends with a mark. */
class Template {
  readonly #packet: Uint8Array;
  readonly #markAt: number;
  readonly #numberAt: number;
  readonly #frameAt: number;

  constructor(kind: Kind, bytes: number, recording: string) {
    const data = new Uint8Array(Math.max(bytes, MARK_LENGTH)).fill(7);
    const place = markOf({ kind, frame: 0, number: 0, atMs: 0 });
    data.set(place, data.length - MARK_LENGTH);
    const ipc = tableToIPC(tableOf(PATHS[kind], data), "stream");
    const times = new Entries([[{ name: "frame", typ: "Sequence" }, FRAME_PLACE]]);
    const store = { kind: "Recording", id: recording };
    const id = { time_ns: 3, inc: NUMBER_PLACE };
    const message = encodeMsgpack({ ArrowMsg: [store, [id, times, ipc]] });
    const packet = framed(concat(HEADER, rrdMessage(message)));
    const all = Buffer.from(packet.buffer, packet.byteOffset, packet.length);
    this.#packet = packet;
    this.#markAt = all.indexOf(place);
    this.#numberAt = all.indexOf(bytesOf(NUMBER_PLACE));
    this.#frameAt = all.indexOf(bytesOf(FRAME_PLACE));
  }

  /** Copied once and filled in: to encode each anew takes longer than a server takes it. */
  packet(mark: Mark): Uint8Array {
    const packet = this.#packet.slice();
    packet.set(markOf(mark), this.#markAt);
    packet.set(bytesOf(BigInt(mark.number + 1)), this.#numberAt);
    packet.set(bytesOf(BigInt(mark.frame)), this.#frameAt);
    return packet;
  }
}

function bytesOf(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

function tableOf(path: string, data: Uint8Array): Table {
  const kinds = (kind: string) => new Map([["rerun.kind", kind]]);
  const frames = vectorFromArray([0n], new Int64());
  const values = vectorFromArray([data], new Binary());
  const fields = [
    new Field("frame", new Int64(), true, kinds("time")),
    new Field("data", new Binary(), true, kinds("data")),
  ];
  const tags = new Map([["rerun.entity_path", path], ["rerun.id", "0".repeat(32)]]);
  const schema = new Schema(fields, tags);
  const children = [frames.data[0]!, values.data[0]!];
  const struct = makeData({ type: new Struct(fields), length: 1, children });
  return new Table(schema, new RecordBatch(schema, struct));
}

/** Makes packets of a recording. */
export class RobotPackets {
  readonly #templates: Readonly<Record<Kind, Template>>;
  #number = 0;

  constructor(
    recording: string,
    bytes: { readonly picture: number; readonly points: number },
  ) {
    this.#templates = {
      L: new Template("L", bytes.picture, recording),
      R: new Template("R", bytes.picture, recording),
      P: new Template("P", bytes.points, recording),
      S: new Template("S", 64, recording),
    };
  }

  /** Announces it. */
  info(): Uint8Array {
    return framed(concat(HEADER, rrdMessage(setStoreInfo())));
  }

  /** What is logged now. */
  packet(kind: Kind, frame: number, atMs: number): Uint8Array {
    const mark = { kind, frame, number: this.#number++, atMs };
    return this.#templates[kind].packet(mark);
  }
}
