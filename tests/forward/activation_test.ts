/** Activations of blueprints, which have an effect each time that they are sent. */
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { grpcTarget } from "../../lib/forward/grpc_target.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { BlueprintActivationCommand, LogMsg } from "../../lib/encoding/log_msg.ts";
import { activationId, withActivationId } from "../../lib/encoding/protobuf/activation_id.ts";
import { encodeLogMsg, protobufHeader } from "../../lib/encoding/protobuf/encode_log_msg.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { Tuid } from "../../lib/encoding/tuid.ts";
import { KnownMessages } from "../../lib/server/known_messages.ts";
import { serve } from "../../lib/server/serve.ts";
import { capturedMessages } from "./batches.ts";

const SIGNAL = new AbortController().signal;
const HEADER = protobufHeader({ major: 0, minor: 24, patch: 0, meta: 0 });

/** As SDKs of today encode it: two of one blueprint are the same, byte for byte. */
function activation(id: string): BlueprintActivationCommand {
  const blueprintId = { kind: "Blueprint" as const, id, applicationId: "robot" };
  const plain = { ...HEADER, version: { major: 0, minor: 21, patch: 0, meta: 0 } };
  const msg = {
    ...{ kind: "BlueprintActivationCommand" as const, blueprintId },
    ...{ makeActive: true, makeDefault: false },
  };
  const bytes = encodeLogMsg(
    { ...msg, encoded: { header: plain, bytes: new Uint8Array() } },
    "v1alpha1",
  );
  return { ...msg, encoded: { header: HEADER, bytes: bytes! } };
}

const blueprintOf = (msg: LogMsg) =>
  msg.kind === "BlueprintActivationCommand" ? msg.blueprintId.id : msg.kind;

describe("activations that are forwarded", () => {
  it("arrive each time, in order, and once where they are sent again", async () => {
    const taken: LogMsg[] = [];
    const server = await serve({ port: 0, log: silentLog });
    const receiving = (async () => {
      for await (const { payload } of server) if (payload.type === "msg") taken.push(payload.msg);
    })();
    const { port } = server.addr;
    const send = async (file: string, msgs: readonly LogMsg[], known?: KnownMessages) => {
      const target = grpcTarget({ hostname: "127.0.0.1", port, ...(known && { known }) });
      const messages = msgs.map((msg, number) => ({
        ...{ number, msg, application: "robot", recording: "" },
      }));
      await target.send({ file, messages, bytes: 1 }, SIGNAL);
      await target.close();
    };
    const all = [activation("a"), activation("b"), activation("a")];
    await send("file 1", all);
    await send("file 1", all);
    assertEquals(taken.map(blueprintOf), ["a", "b", "a"]);
    // Sent on by a server that saved them in a file of its own, they come round.
    const known = new KnownMessages();
    for (const msg of taken) known.sent(msg);
    await send("file 2", [...taken], known);
    assertEquals(taken.length, 3);
    await server.close();
    await receiving;
  });

  it("keep the id that they have, and are read as before", () => {
    const ids = [new Tuid(1n, 2n ** 63n), new Tuid(3n, 4n)];
    const before = activation("a");
    const msg = withActivationId(before, ids[0]!);
    assertEquals(activationId(msg), ids[0]);
    assertEquals(withActivationId(msg, ids[1]!), msg);
    const { items, error } = new RrdDecoder().push(
      new Uint8Array([...HEADER.bytes, ...msg.encoded.bytes]),
    );
    assertEquals(error, undefined);
    assertEquals(items.map(({ encoded: _, ...rest }) => rest), [
      (({ encoded: _, ...rest }) => rest)(before),
    ]);
  });

  it("hold nothing up with an id of another form than ours, which they are given besides", () => {
    const [before, id] = [activation("a"), new Tuid(5n, 6n)];
    // The field of the id, with nothing in it, half an id, bytes that are no message, and a longer one.
    for (const value of [[], [9, ...Array(8)], [0xff, 0xff], Array(20).fill(9)]) {
      const field = [0x82, 0xe2, 0x09, value.length, ...value.map((byte) => byte ?? 0)];
      const bytes = new Uint8Array([...before.encoded.bytes, ...field]);
      new DataView(bytes.buffer).setBigUint64(8, BigInt(bytes.length - 16), true);
      const { items, error } = new RrdDecoder().push(new Uint8Array([...HEADER.bytes, ...bytes]));
      assertEquals(error, undefined);
      const [msg] = items as BlueprintActivationCommand[];
      assertEquals(activationId(msg!), undefined);
      const known = new KnownMessages();
      known.sent(msg!);
      assertEquals(known.isSent(msg!), true);
      assertEquals(activationId(withActivationId(msg!, id)), id);
    }
  });

  it("of SDK 0.21 and before stay as they are", () => {
    const old = capturedMessages("0.16.1-blueprint").filter(({ kind }) =>
      kind === "BlueprintActivationCommand"
    );
    assert(old.length > 0);
    for (const msg of old as BlueprintActivationCommand[]) {
      assertEquals(withActivationId(msg, new Tuid(1n, 1n)), msg);
    }
  });
});
