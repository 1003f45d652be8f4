/** A call of gRPC over HTTP/2 with windows so large that only the connection itself slows it down. */
import { connect } from "node:net";
import { Buffer } from "node:buffer";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, window: 8 } as const;
const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;
const FIRST_WINDOW = 65_535;
const WINDOW = 2 ** 30;
/** So much is given back at once. */
const GIVEN_BACK = 2 ** 26;
const HEAD_BYTES = 9;
const INITIAL_WINDOW_SIZE = 4;

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Literal fields, RFC 7541, section 6.2.2. */
function fields(all: Readonly<Record<string, string>>): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat(
    Object.entries(all).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

/**
 * Makes a call with an empty message.
 *
 * @param onBytes is given what the answer is made of
 * @returns `ended` resolves when call or connection have ended
 */
export function rawCall(
  port: number,
  path: string,
  onBytes: (bytes: Uint8Array) => void,
): { readonly ended: Promise<void>; close(): void } {
  const socket = connect(port, "127.0.0.1");
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(INITIAL_WINDOW_SIZE, 0);
  setting.writeUInt32BE(WINDOW, 2);
  const asked = fields({
    ...{ ":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost" },
    ...{ te: "trailers", "content-type": "application/grpc" },
  });
  socket.write(Buffer.concat([
    PREFACE,
    frame(TYPE.settings, 0, 0, setting),
    frame(TYPE.window, 0, 0, uint32(WINDOW - FIRST_WINDOW)),
    frame(TYPE.headers, END_HEADERS, 1, asked),
    frame(TYPE.data, END_STREAM, 1, new Uint8Array(5)),
  ]));
  let rest: Buffer = Buffer.alloc(0);
  let taken = 0;
  const take = (type: number, flags: number, stream: number, payload: Buffer) => {
    if (type === TYPE.data) {
      onBytes(payload);
      taken += payload.length;
      if (taken < GIVEN_BACK) return;
      for (const stream of [0, 1]) socket.write(frame(TYPE.window, 0, stream, uint32(taken)));
      taken = 0;
    } else if (type === TYPE.settings && flags !== ACK) {
      socket.write(frame(TYPE.settings, ACK, 0, new Uint8Array()));
    } else if (type === TYPE.ping && flags !== ACK) {
      socket.write(frame(TYPE.ping, ACK, 0, payload));
    }
    const isLast = (type === TYPE.headers || type === TYPE.data) && (flags & END_STREAM) > 0;
    if (stream === 1 && isLast || type === TYPE.reset || type === TYPE.goAway) socket.end();
  };
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let at = 0;
    while (rest.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + rest.readUIntBE(at, 3);
      if (rest.length < end) break;
      const payload = rest.subarray(at + HEAD_BYTES, end);
      take(rest[at + 3]!, rest[at + 4]!, rest.readUInt32BE(at + 5), payload);
      at = end;
    }
    rest = rest.subarray(at);
  });
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return { ended, close: () => void socket.destroy() };
}
