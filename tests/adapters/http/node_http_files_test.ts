import { assertEquals } from "@std/assert";
import { connect } from "node:net";
import { describe, it } from "node:test";
import type { NetAddr } from "../../../lib/base/net_addr.ts";
import { startChild } from "../../contract/child.ts";

const OPEN_FILES = 120;

describe("HTTP without a file descriptor left", () => {
  it("answers again once silent peers are gone", async () => {
    const child = startChild(
      new URL("../../contract/http_child.ts", import.meta.url),
      [],
      OPEN_FILES,
    );
    try {
      const { hostname, port } = await child.next<NetAddr>();
      const peers = Array.from({ length: 2 * OPEN_FILES }, () => {
        const socket = connect(port, hostname);
        const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
        socket.on("error", () => {}).resume();
        return { socket, closed };
      });
      // Those that are accepted are closed at the deadline, then the next ones.
      await Promise.all(peers.map(({ closed }) => closed));
      const response = await fetch(`http://${hostname}:${port}/`);
      assertEquals(await response.text(), "here");
    } finally {
      await child.stop();
    }
  });
});
