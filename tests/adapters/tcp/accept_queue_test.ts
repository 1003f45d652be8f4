import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { AcceptQueue } from "../../../lib/adapters/tcp/_accept_queue.ts";
import type { TcpConnection } from "../../../lib/adapters/tcp/types.ts";

function connection(closed: string[] = [], name = ""): TcpConnection {
  return {
    readable: new ReadableStream(),
    write: () => Promise.resolve(),
    setNoDelay() {},
    close: () => void closed.push(name),
  };
}

const refusal = (refused: number) => new Error(`refused ${refused}`);

describe("AcceptQueue", () => {
  it("hands out connections in order, before and after they are asked for", async () => {
    const queue = new AcceptQueue();
    const [first, second, third] = [connection(), connection(), connection()];
    queue.offer(first);
    queue.offer(second);
    assertEquals(await queue.accept() === first, true);
    assertEquals(await queue.accept() === second, true);
    const waiting = queue.accept();
    queue.offer(third);
    assertEquals(await waiting === third, true);
  });

  it("turns any number of refusals into one error", async () => {
    const queue = new AcceptQueue();
    for (let i = 0; i < 1000; i++) queue.refuse(refusal);
    await assertRejects(() => queue.accept(), Error, "refused 1000");
    const waiting = queue.accept();
    queue.refuse(refusal);
    await assertRejects(() => waiting, Error, "refused 1");
    const next = queue.accept();
    queue.close();
    assertEquals(await next, undefined);
  });

  it("hands out connections before it tells of refusals", async () => {
    const queue = new AcceptQueue();
    const only = connection();
    queue.refuse(refusal);
    queue.offer(only);
    assertEquals(await queue.accept() === only, true);
    await assertRejects(() => queue.accept(), Error, "refused 1");
  });

  it("closes what nobody accepted", async () => {
    const queue = new AcceptQueue();
    const closed: string[] = [];
    queue.offer(connection(closed, "waiting"));
    queue.close();
    queue.offer(connection(closed, "late"));
    queue.refuse(refusal);
    assertEquals(closed, ["waiting", "late"]);
    assertEquals(await queue.accept(), undefined);
  });
});
