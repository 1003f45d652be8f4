import { describe, it } from "node:test";
import { assertEquals, assertLess } from "@std/assert";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { BlueprintRoles } from "../../lib/stores/blueprint_roles.ts";
import { Blueprints } from "../../lib/stores/blueprints.ts";
import { SdkClient } from "../sinks/clients.ts";

/** Messages of a blueprint, as far as it matters: its announcement, and an activation. */
function messages(active = true, isDefault = true): [LogMsg, LogMsg] {
  const [announced, , activated] = new SdkClient(1).blueprint("b", { active, isDefault })
    .map(({ payload }) => payload.type === "msg" ? payload.msg : undefined);
  return [announced!, activated!];
}
const [SENT, ACTIVATED] = messages();
const [, ACTIVE] = messages(true, false);
const [, DEFAULT] = messages(false, true);

describe("BlueprintRoles", () => {
  it("knows the active, the default and the one that is being sent, each once", () => {
    const roles = new BlueprintRoles<string>();
    let at = 0;
    const note = (msg: LogMsg, id: string) => roles.note(msg, id, ++at);
    assertEquals([roles.isEmpty, roles.all], [true, []]);
    note(SENT, "a");
    assertEquals([roles.all, roles.activated], [["a"], []]);
    note(ACTIVATED, "a");
    note(SENT, "b");
    assertEquals([roles.all, roles.activated], [["a", "b"], ["a"]]);
    note(DEFAULT, "b");
    assertEquals(roles.activated, ["a", "b"]);
    note(ACTIVE, "a");
    assertEquals(roles.all, ["b", "a"]);
    note(ACTIVATED, "c");
    assertEquals(roles.all, ["c"]);
  });

  it("takes from others what is newer", () => {
    const [one, two] = [new BlueprintRoles<string>(), new BlueprintRoles<string>()];
    one.note(ACTIVATED, "old", 1);
    two.note(DEFAULT, "older", 0);
    two.note(ACTIVE, "new", 2);
    one.merge(two);
    assertEquals(one.all, ["old", "new"]);
  });
});

describe("Blueprints", () => {
  function setUp() {
    const gone: string[] = [];
    const blueprints = new Blueprints<{ name: string }, string>((id) => void gone.push(id));
    const sends = (client: number, id: string, now = 0) => {
      blueprints.note(client, "app", SENT, id, now);
      return blueprints.note(client, "app", ACTIVATED, id, now)?.name;
    };
    return { blueprints, gone, sends };
  }

  it("says which go with the recordings of a client, and which with all", () => {
    const { blueprints, sends } = setUp();
    const [one, two] = [{ name: "one" }, { name: "two" }];
    const found = () => [one, two].map((recording) => blueprints.of(recording, "app").all);
    blueprints.logs(1, one, "app");
    blueprints.logs(2, two, "app");
    assertEquals(sends(1, "a"), "one");
    assertEquals(found(), [["a"], []]);
    assertEquals(sends(3, "b"), undefined);
    assertEquals(found(), [["a"], []]);
    assertEquals(blueprints.of(two, "app", true).all, ["b"]);
    blueprints.decide(-1);
    assertEquals([found(), blueprints.isUndecided], [[["a"], []], true]);
    blueprints.decide(0);
    assertEquals([found(), blueprints.isUndecided], [[["b"], ["b"]], false]);
    assertEquals(sends(2, "c"), "two");
    assertEquals([found(), blueprints.latest("app").all], [[["b"], ["c"]], ["c"]]);
    assertEquals(blueprints.latest("other").all, []);
  });

  it("waits whether a client logs a recording; which one then is its own", () => {
    const { blueprints, sends } = setUp();
    const [one, two] = [{ name: "one" }, { name: "two" }];
    blueprints.logs(1, one, "app");
    sends(2, "b");
    blueprints.logs(2, two, "app");
    blueprints.decide(Infinity);
    assertEquals([one, two].map((each) => blueprints.of(each, "app").all), [[], ["b"]]);
  });

  it("counts the connected clients of a recording", () => {
    const { blueprints } = setUp();
    const one = { name: "one" };
    for (const client of [1, 2, 1]) blueprints.logs(client, one, "app");
    blueprints.quit(1);
    assertEquals(blueprints.isLogged(one), true);
    for (const client of [2, 2, 3]) blueprints.quit(client);
    assertEquals(blueprints.isLogged(one), false);
  });

  it("remembers none that newer ones have replaced everywhere", () => {
    const { blueprints, gone, sends } = setUp();
    blueprints.logs(1, { name: "one" }, "app");
    sends(1, "a");
    sends(1, "b");
    assertEquals(gone, ["a"]);
    sends(2, "c");
    assertEquals(gone, ["a"]);
    blueprints.quit(1);
    assertEquals(gone, ["a", "b"]);
    blueprints.quit(2);
    for (let i = 0; i < 1000; i++) {
      sends(10 + i, `x${i}`);
      blueprints.quit(10 + i);
    }
    assertEquals(blueprints.size, 1);
  });

  it("is bounded, however many applications and recordings there are", () => {
    const { blueprints } = setUp();
    for (let i = 0; i < 20_000; i++) {
      blueprints.logs(1, { name: `${i}` }, `app ${i}`);
      blueprints.note(i % 100, `app ${i}`, SENT, `${i}`, 0);
    }
    assertLess(blueprints.size, 11_100);
  });
});
