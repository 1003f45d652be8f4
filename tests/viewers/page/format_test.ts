import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { plural, sdkAddress, unfitness, viewerOf } from "../../../lib/viewers/page/format.js";

describe("the page", () => {
  it("tells SDKs an address that they take: a name is none", () => {
    assertEquals(sdkAddress("127.0.0.1", 9876), "127.0.0.1:9876");
    assertEquals(sdkAddress("localhost", 1), "127.0.0.1:1");
    assertEquals(sdkAddress("page.localhost", 1), "127.0.0.1:1");
    assertEquals(sdkAddress("[::1]", 9876), "[::1]:9876");
    assertEquals(sdkAddress("robot.local", 9876), "IP address of robot.local:9876");
  });

  it("says one client, and two", () => {
    const texts = [0, 1, 2, 1234].map((count) => plural(count, "client"));
    assertEquals(texts, ["0 clients", "1 client", "2 clients", "1,234 clients"]);
  });

  it("knows which SDKs its viewers show", () => {
    assertEquals(["0.16.1", "0.17.0", "0.22.1", "0.23.0", "1.0.0", "0.9.1"].map(unfitness), [
      "old",
      "",
      "",
      "",
      "",
      "old",
    ]);
    assertEquals(unfitness(null), "");
  });

  it("knows which of them shows what an SDK logs", () => {
    assertEquals(["0.17.0", "0.22.1", "0.23.0", "0.41.0", "1.0.0"].map(viewerOf), [
      "viewer",
      "viewer",
      "viewer-0.33",
      "viewer-0.33",
      "viewer-0.33",
    ]);
    assertEquals(viewerOf(null), "viewer");
  });
});
