/** A simulated robot that logs curves and pictures as SDK 0.22 does, over TCP. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encode } from "@msgpack/msgpack";
import * as arrow from "apache-arrow";
import {
  concat,
  Entries,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "../encoding/rrd_builder.ts";

const HEADER = rrdHeader();

/** Msgpack as short as it can be, as SDKs write it; of what has up to 15 entries. */
function packed(value: unknown): Uint8Array {
  const head = (mark: number, count: number) => Uint8Array.of(mark | count);
  if (Array.isArray(value)) return concat(head(0x90, value.length), ...value.map(packed));
  if (value instanceof Entries) {
    return concat(head(0x80, value.entries.length), ...value.entries.flat().map(packed));
  }
  if (value !== null && typeof value === "object" && !(value instanceof Uint8Array)) {
    return packed(new Entries(Object.entries(value)));
  }
  return encode(value, { useBigInt64: true });
}

/** A list of one row that has all of `child`. */
function oneRow<T extends arrow.DataType>(child: arrow.Data<T>): arrow.Vector {
  const type = new arrow.List(new arrow.Field("item", child.type, true));
  const valueOffsets = Int32Array.of(0, child.length);
  return new arrow.Vector([
    arrow.makeData({ type, length: 1, nullCount: 0, valueOffsets, child }),
  ]);
}

/** What a robot logs next. */
export class Robot {
  #count = 0n;

  constructor(readonly recording: string, readonly application = "demo_robot") {}

  /** Announces the recording. */
  announcement(): Uint8Array<ArrayBuffer> {
    const store_id = { kind: "Recording", id: this.recording };
    const started = BigInt(Date.now()) * 1_000_000n;
    return this.#packet(
      setStoreInfo({ ...storeInfoFields(), application_id: this.application, store_id, started }),
    );
  }

  /** A value of a curve. */
  scalar(path: string, frame: number, value: number): Uint8Array<ArrayBuffer> {
    const child = arrow.makeData({
      type: new arrow.Float64(),
      length: 1,
      nullCount: 0,
      data: Float64Array.of(value),
    });
    return this.#chunk(path, frame, "Scalar", { scalar: ["Scalar", oneRow(child)] });
  }

  /** A grey picture, with a bright column that moves. */
  picture(path: string, frame: number, width = 160, height = 120): Uint8Array<ArrayBuffer> {
    const data = new Uint8Array(width * height);
    for (let i = 0; i < data.length; i++) {
      const distance = Math.abs(i % width - frame * 3 % width);
      data[i] = distance < 6 ? 255 - distance * 20 : (i / width) / height * 120;
    }
    const bytes = arrow.makeData({
      type: new arrow.Uint8(),
      length: data.length,
      nullCount: 0,
      data,
    });
    const blob = arrow.makeData({
      type: new arrow.List(new arrow.Field("item", bytes.type, true)),
      length: 1,
      nullCount: 0,
      valueOffsets: Int32Array.of(0, data.length),
      child: bytes,
    });
    const format = arrow.vectorFromArray(
      [{ width, height, pixel_format: null, color_model: 1, channel_datatype: 6 }],
      new arrow.Struct([
        new arrow.Field("width", new arrow.Uint32()),
        new arrow.Field("height", new arrow.Uint32()),
        new arrow.Field("pixel_format", new arrow.Uint8(), true),
        new arrow.Field("color_model", new arrow.Uint8(), true),
        new arrow.Field("channel_datatype", new arrow.Uint8(), true),
      ]),
    );
    return this.#chunk(path, frame, "Image", {
      buffer: ["ImageBuffer", oneRow(blob)],
      format: ["ImageFormat", oneRow(format.data[0]!)],
    });
  }

  #chunk(
    path: string,
    frame: number,
    archetype: string,
    fields: Readonly<Record<string, [string, arrow.Vector]>>,
  ): Uint8Array<ArrayBuffer> {
    const inc = ++this.#count;
    const time = BigInt(Date.now()) * 1_000_000n;
    const uint64 = new arrow.Uint64();
    const row = arrow.vectorFromArray(
      [{ inc, time_ns: time }],
      new arrow.Struct([
        new arrow.Field("inc", uint64),
        new arrow.Field("time_ns", uint64),
      ]),
    );
    const columns: Record<string, arrow.Vector> = {
      "rerun.controls.RowId": row,
      frame: arrow.vectorFromArray([BigInt(frame)], new arrow.Int64()),
    };
    for (const [component, vector] of Object.values(fields)) {
      columns[`rerun.components.${component}`] = vector;
    }
    const table = new arrow.Table(columns);
    const { schema } = table;
    const id = (time << 64n | inc).toString(16).toUpperCase().padStart(32, "0");
    schema.metadata.set("rerun.entity_path", path).set("rerun.id", id)
      .set("rerun.heap_size_bytes", "1000");
    schema.fields[0]!.metadata.set("rerun.kind", "control");
    schema.fields[1]!.metadata.set("rerun.kind", "time");
    Object.keys(fields).forEach((name, i) => {
      schema.fields[i + 2]!.metadata.set("rerun.kind", "data")
        .set("rerun.archetype_name", `rerun.archetypes.${archetype}`)
        .set("rerun.archetype_field_name", name);
    });
    const timepoint = new Entries([[{ name: "frame", typ: "Sequence" }, frame]]);
    const store = { kind: "Recording", id: this.recording };
    const ipc = arrow.tableToIPC(table, "stream");
    return this.#packet(
      packed({ ArrowMsg: [store, [{ time_ns: time, inc }, timepoint, ipc]] }),
    );
  }

  #packet(message: Uint8Array): Uint8Array<ArrayBuffer> {
    return framed(concat(HEADER, rrdMessage(message)));
  }
}

/** Connects to a server as an SDK does. */
export async function connectSdk(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  await once(socket, "connect");
  socket.write(HELLO);
  return socket;
}

/** Sends bytes; resolves when there is room for more. */
export async function send(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (!socket.write(bytes)) await once(socket, "drain");
}

/** A message made once, whose time is set each time it is sent: to make thousands a second is dear. */
export class Template {
  readonly #packet: Uint8Array<ArrayBuffer>;
  readonly #at: number;
  readonly #view: DataView;

  /** @param packet of a robot's {@linkcode Robot.scalar} */
  constructor(packet: Uint8Array<ArrayBuffer>) {
    this.#packet = packet;
    const key = new TextEncoder().encode("time_ns");
    const at = packet.findIndex((_, i) => key.every((byte, k) => packet[i + k] === byte));
    // Behind the key stands the mark of a number of 8 bytes.
    if (at < 0 || packet[at + key.length] !== 0xcf) throw new Error("there is no time in it");
    this.#at = at + key.length + 1;
    this.#view = new DataView(packet.buffer, packet.byteOffset);
  }

  /** The packet, with this time in its id; the next call overwrites it. */
  at(dateMs: number): Uint8Array<ArrayBuffer> {
    this.#view.setBigUint64(this.#at, BigInt(Math.round(dateMs * 1e6)));
    return this.#packet;
  }
}
