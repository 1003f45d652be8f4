import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assert, assertEquals } from "@std/assert";
import type { Client } from "../../lib/server/client.ts";
import { ClientList } from "../../lib/server/client_list.ts";

/** What the list needs of a client. */
class Stub {
  looks = 0;
  isOverdue = false;
  closed = false;
  readonly #left = Promise.withResolvers<void>();

  run(): Promise<void> {
    return this.#left.promise;
  }

  checkDeadlines(): boolean {
    this.looks++;
    if (this.isOverdue) this.close();
    return this.isOverdue;
  }

  close(): void {
    this.closed = true;
    this.#left.resolve();
  }
}

function listOf(count: number, isGreeted: boolean): { list: ClientList; stubs: Stub[] } {
  const list = new ClientList({
    maxClients: 1e6,
    maxHandshakes: 1e6,
    maxUnfinishedBytes: 1e6,
    handshakeTimeoutSec: 10,
    now: () => 0,
  });
  const stubs = Array.from({ length: count }, () => new Stub());
  for (const stub of stubs) {
    const client = stub as unknown as Client;
    list.add(client, () => {});
    if (isGreeted) list.greeted(client);
  }
  return { list, stubs };
}

/** Lets those leave that were closed. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const looksAt = (stubs: Stub[]) => stubs.reduce((sum, { looks }) => sum + looks, 0);

describe("ClientList.checkDeadlines", () => {
  it("looks at a tenth of all in each call, at everyone in twelve", () => {
    for (const count of [1, 7, 10, 995, 1000]) {
      const { list, stubs } = listOf(count, true);
      for (let i = 0; i < 12; i++) {
        const before = looksAt(stubs);
        list.checkDeadlines();
        assert(looksAt(stubs) - before <= Math.ceil(count / 10), `${count} clients, call ${i}`);
      }
      assert(stubs.every(({ looks }) => looks > 0), `${count} clients`);
    }
  });

  it("passes nobody over while others come and leave", async () => {
    const { list, stubs } = listOf(100, true);
    for (let i = 0; i < 12; i++) {
      list.checkDeadlines();
      // Those looked at already, and some of those that are next.
      for (const stub of stubs.slice(i * 8, i * 8 + 2)) stub.close();
      await turn();
      const late = new Stub();
      stubs.push(late);
      list.add(late as unknown as Client, () => {});
      list.greeted(late as unknown as Client);
    }
    assertEquals(stubs.slice(0, 100).filter(({ looks, closed }) => looks === 0 && !closed), []);
  });

  it("ends those in their handshake from the oldest on, with one call", () => {
    const { list, stubs } = listOf(700, false);
    for (const stub of stubs.slice(0, 500)) stub.isOverdue = true;
    list.checkDeadlines();
    assertEquals(stubs.filter(({ closed }) => closed).length, 500);
  });

  it("ends thousands with several calls, so that others come in between", async () => {
    const { list, stubs } = listOf(5000, false);
    for (const stub of stubs) stub.isOverdue = true;
    let calls = 0;
    while (list.size > 0) {
      const before = stubs.filter(({ closed }) => closed).length;
      list.checkDeadlines();
      calls++;
      assert(stubs.filter(({ closed }) => closed).length - before <= 1250);
      await turn();
    }
    assert(calls >= 4 && calls <= 7, `${calls} calls`);
  });
});
