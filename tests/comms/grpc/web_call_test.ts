import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { CallHandlers } from "../../../lib/comms/grpc/service.ts";
import { GrpcService } from "../../../lib/comms/grpc/service.ts";
import { GrpcError, STATUS } from "../../../lib/comms/grpc/status.ts";
import { answerWeb } from "../../../lib/comms/grpc/web_call.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { readFrame } from "../../../lib/comms/grpc/message_proxy.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { callBody, frame } from "./frames.ts";

const BASE = "http://127.0.0.1:9876/rerun.sdk_comms.v1alpha1.MessageProxyService/";

function post(method: string, body: BodyInit, init: RequestInit = {}): Request {
  const headers = { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" };
  // Bodies that are streams have to say how they are sent.
  const more = { duplex: "half" } as RequestInit;
  return new Request(BASE + method, { method: "POST", body, headers, ...more, ...init });
}

function service(handlers: Partial<CallHandlers<undefined>> = {}) {
  const failed: Error[] = [];
  const grpc = new GrpcService<undefined>({
    writeMessages: (call) => call.fail(new GrpcError(STATUS.UNIMPLEMENTED, "not here")),
    async *readMessages() {},
    writeTable() {},
    async *readTables() {},
    isServing: () => true,
    failed: (error) => void failed.push(error),
    ...handlers,
  });
  const answer = (request: Request) =>
    answerWeb(request, (stream) => grpc.accept(stream, undefined));
  return { answer, failed };
}

const trailers = (text: string) => frame(new TextEncoder().encode(text), 0x80);
const OK = trailers("grpc-status:0\r\n");
const EMPTY = frame(new Uint8Array());

function messages(): Promise<LogMsg[]> {
  const all: LogMsg[] = [];
  const { answer } = service({
    writeMessages: (call) => call.admit({ take: (msgs) => void all.push(...msgs), quit() {} }),
  });
  return answer(post("WriteMessages", callBody("0.41.0"))).then(async (response) => {
    assertEquals(new Uint8Array(await response.arrayBuffer()), concat(EMPTY, OK));
    return all;
  });
}

describe("calls of gRPC-web", () => {
  it("read what was logged, with the trailers behind it", async () => {
    const msgs = await messages();
    const { answer } = service({
      async *readMessages() {
        for (const msg of msgs) yield readFrame(msg, "v1alpha1") as Uint8Array[];
      },
    });
    const response = await answer(post("ReadMessages", EMPTY));
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("content-type"), "application/grpc-web+proto");
    const body = new Uint8Array(await response.arrayBuffer());
    assertEquals(body, concat(callBody("0.41.0"), OK));
  });

  it("write, however the body comes", async () => {
    assertEquals((await messages()).length, 7);
  });

  it("are told of errors in the trailers, and of other content types by HTTP", async () => {
    const { answer, failed } = service();
    const missing = await answer(post("Nothing", EMPTY));
    const text = `grpc-status:12\r\ngrpc-message:${failed[0]!.message}\r\n`;
    assertEquals(new Uint8Array(await missing.arrayBuffer()), trailers(text));
    const json = { headers: { "content-type": "application/grpc-web-text" } };
    const other = await answer(post("ReadMessages", "AAAAAAA=", json));
    assertEquals([other.status, other.body], [415, null]);
  });

  it("give no more than is read, and end when nobody reads", async () => {
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const { answer } = service({
      async *readMessages({ signal }) {
        signal.addEventListener("abort", () => resolve(signal.reason));
        for (;; asked++) yield [frame(new Uint8Array(100_000))];
      },
    });
    const response = await answer(post("ReadMessages", EMPTY));
    const reader = response.body!.getReader();
    let got = 0;
    while (got < 1_000_000) got += (await reader.read()).value!.length;
    for (let i = 0; i < 50; i++) await undefined;
    assert(asked < 16, `${asked}`);
    await reader.cancel();
    const why = await promise;
    assert(why instanceof GrpcError && why.status === STATUS.CANCELLED);
  });

  it("read a request no faster than it is taken, and none of it that nobody wants", async () => {
    const piece = callBody("0.41.0");
    let [sent, isCancelled] = [0, false];
    const body = () => {
      [sent, isCancelled] = [0, false];
      return new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull(controller) {
          sent += piece.length;
          controller.enqueue(piece);
        },
        cancel() {
          isCancelled = true;
        },
      }, { highWaterMark: 0 });
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    const { answer } = service({
      writeMessages: (call) =>
        call.admit({ take: () => (resolve(), new Promise(() => {})), quit() {} }),
    });
    void answer(post("WriteMessages", body()));
    await promise;
    const before = sent;
    for (let i = 0; i < 200; i++) await undefined;
    assert(sent <= 256 * 1024 + 3 * piece.length, `${before} ${sent}`);
    const response = await service().answer(post("WriteMessages", body()));
    const text = new TextDecoder().decode(await response.arrayBuffer());
    assert(text.includes("grpc-status:12"), text);
    assert(isCancelled);
  });

  it("end as they should although giving up their body fails", async () => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => controller.enqueue(callBody("0.41.0")),
      cancel: () => Promise.reject(new Error("the connection broke")),
    }, { highWaterMark: 0 });
    const { answer } = service();
    const response = await answer(post("WriteMessages", body));
    // In the meantime a rejection that nobody handles would end the program.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const text = new TextDecoder().decode(await response.arrayBuffer());
    assert(text.includes("grpc-status:12"), text);
  });
});
