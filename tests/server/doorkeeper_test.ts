import { describe, it } from "node:test";
import { assertEquals, assertLess } from "@std/assert";
import { Doorkeeper } from "../../lib/server/doorkeeper.ts";

const from = (hostname: string) => ({ hostname, port: 1 });

describe("Doorkeeper", () => {
  it("lets all in where nothing is said, and remembers nobody", () => {
    const door = new Doorkeeper({ now: () => 0 });
    for (let i = 0; i < 100; i++) assertEquals(door.enter(from("10.0.0.1")), undefined);
    assertEquals(door.enter(undefined), undefined);
    assertEquals(door.size, 0);
  });

  it("lets in who is allowed, and nobody without an address then", () => {
    const door = new Doorkeeper({ now: () => 0, isAllowed: (name) => name === "10.0.0.1" });
    assertEquals(door.enter(from("10.0.0.1")), undefined);
    const error = door.enter(from("10.0.0.2"));
    assertEquals([error?.name, error?.message], [
      "AddressNotAllowed",
      "10.0.0.2 is not allowed to connect (--allow, option allow)",
    ]);
    assertEquals(door.enter(undefined)?.name, "AddressNotAllowed");
  });

  it("counts the open connections of each address", () => {
    const door = new Doorkeeper({ now: () => 0, maxConnectionsPerAddress: 2 });
    const enter = (name: string) => door.enter(from(name))?.name;
    assertEquals([enter("a"), enter("a"), enter("a")], [undefined, undefined, "TooManyOfAddress"]);
    assertEquals(enter("b"), undefined);
    door.left(from("a"));
    assertEquals([enter("a"), enter("a")], [undefined, "TooManyOfAddress"]);
  });

  it("counts the connects of each address in time", () => {
    let now = 0;
    const door = new Doorkeeper({ now: () => now, maxConnectsPerSec: 2 });
    const enter = () => door.enter(from("a"))?.name;
    const refused = "ConnectsTooOften";
    assertEquals([enter(), enter(), enter()], [undefined, undefined, refused]);
    now = 499;
    assertEquals(enter(), refused);
    now = 500;
    assertEquals([enter(), enter()], [undefined, refused]);
    now = 100_000;
    assertEquals([enter(), enter(), enter()], [undefined, undefined, refused]);
    assertEquals(door.enter(from("b")), undefined);
  });

  it("takes less than one a second, too", () => {
    let now = 0;
    const door = new Doorkeeper({ now: () => now, maxConnectsPerSec: 0.1 });
    const enter = () => door.enter(from("a"))?.name;
    assertEquals([enter(), enter()], [undefined, "ConnectsTooOften"]);
    now = 10_000;
    assertEquals([enter(), enter()], [undefined, "ConnectsTooOften"]);
  });

  it("remembers a bounded number of addresses, those that are connected first", () => {
    const door = new Doorkeeper({ now: () => 0, maxConnectionsPerAddress: 1 });
    door.enter(from("stays"));
    for (let i = 0; i < 200_000; i++) {
      door.enter(from(`${i}`));
      door.left(from(`${i}`));
    }
    assertLess(door.size, 65_537);
    assertEquals(door.enter(from("stays"))?.name, "TooManyOfAddress");
  });
});
