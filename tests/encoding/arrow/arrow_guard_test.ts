import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryTcp, type OnBadArrow, Server } from "../../../mod.ts";
import {
  arrowMsg,
  concat,
  Entries,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
} from "../rrd_builder.ts";
import { fixture } from "../../fixtures.ts";

const GOOD = framed(concat(rrdHeader(), rrdMessage(setStoreInfo())));
const BAD = framed(concat(rrdHeader(), rrdMessage(arrowMsg(new Entries([])))));

/** What is received of one client. */
async function receive(onBadArrow: OnBadArrow, bytes: Uint8Array) {
  const net = memoryTcp();
  const lines: string[] = [];
  const log = {
    enabled: (level: string) => level !== "trace",
    write: (level: string, text: string) => void lines.push(`${level} ${text}`),
  };
  const server = await Server.listen(net, { port: 9876, log, onBadArrow });
  const writer = net.connect(9876).writable.getWriter();
  const sent = writer.write(bytes).then(() => writer.close()).catch(() => {});
  const kinds: string[] = [];
  let error: Error | undefined;
  for await (const { payload } of server) {
    if (payload.type === "msg") kinds.push(payload.msg.kind);
    else {
      error = payload.error;
      break;
    }
  }
  await sent;
  const { badArrow, messages } = server.stats;
  await server.close();
  return { kinds, error, badArrow, messages, lines };
}

describe("a message whose Arrow data is corrupt", () => {
  const bytes = concat(HELLO, GOOD, BAD, BAD, GOOD);
  const dropped = BAD.length - 4 - 12;

  it("is received where nothing else is said", async () => {
    const { kinds, error, badArrow } = await receive("save", bytes);
    assertEquals(kinds, ["SetStoreInfo", "ArrowMsg", "ArrowMsg", "SetStoreInfo"]);
    assertEquals([error, badArrow], [undefined, { messages: 0, bytes: 0 }]);
  });

  it("is dropped and counted, and said once", async () => {
    const { kinds, error, badArrow, messages, lines } = await receive("drop", bytes);
    assertEquals([kinds, messages, error], [["SetStoreInfo", "SetStoreInfo"], 2, undefined]);
    assertEquals(badArrow, { messages: 2, bytes: 2 * dropped });
    const said = lines.filter((line) => line.startsWith("warn"));
    assertEquals(said.length, 2);
    assert(said[0]!.startsWith(`warn Dropped a message of ${dropped} bytes of the client at 127`));
    assert(said[1]!.startsWith("warn 1 more like the last one: Dropped"), said[1]);
  });

  it("closes its client, after all that came before", async () => {
    const { kinds, error, badArrow } = await receive("close", bytes);
    assertEquals([kinds, error?.name], [["SetStoreInfo"], "CorruptArrow"]);
    assertEquals(badArrow, { messages: 1, bytes: dropped });
    const { byteOffset, client } = error as Error & { byteOffset: number; client: string };
    assertEquals(byteOffset, HELLO.length + GOOD.length);
    assert(client.startsWith("127.0.0.1:"));
  });

  it("is none that an SDK sends", async () => {
    for (const name of ["0.9.1-scalars", "0.16.1-mixed", "0.22.1-mixed"]) {
      const capture = fixture(`captures/${name}.bin`);
      const [saved, closed] = [await receive("save", capture), await receive("close", capture)];
      assertEquals([closed.kinds, closed.error], [saved.kinds, undefined]);
    }
  });
});
