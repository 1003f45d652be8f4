import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { join } from "node:path";
import process from "node:process";
import { unixAddress } from "../../../lib/adapters/process/_unix_address.ts";
import { datagramSender } from "../../../lib/adapters/process/datagrams.ts";
import { inFolder } from "../../cli/cli_process.ts";
import { unixReceiver } from "./unix_receiver.ts";

const skip = process.platform !== "linux" && "systemd is on Linux alone";

describe("datagrams to a Unix socket", { skip }, () => {
  it("come to a path and to an abstract name, and are refused where nobody is", () =>
    inFolder((folder) => {
      for (const name of [join(folder, "socket"), `@rerelay-test-${process.pid}`]) {
        const receiver = unixReceiver(name);
        const send = datagramSender(name);
        assertEquals(receiver.take(), undefined);
        assertEquals(send(new TextEncoder().encode("READY=1")), true);
        assertEquals(receiver.take(), "READY=1");
        receiver.close();
        assertEquals(send(new TextEncoder().encode("WATCHDOG=1")), false);
      }
      return Promise.resolve();
    }));

  it("go nowhere by an address that is none", () => {
    for (const name of ["socket", "", `/${"x".repeat(107)}`]) {
      assertThrows(() => datagramSender(name), RangeError, "not an address");
    }
  });
});

describe("the address of a Unix socket", () => {
  it("is its family, then the path with a zero, or a zero and the name", () => {
    assertEquals([...unixAddress("/a")], [1, 0, 47, 97, 0]);
    assertEquals([...unixAddress("@a")], [1, 0, 0, 97]);
    assertEquals(unixAddress(`/${"x".repeat(106)}`).length, 110);
    assertThrows(() => unixAddress("a"), RangeError);
  });
});
