import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { NatsFleet } from "../../lib/server/nats_fleet.ts";

const NOW = { lagSec: 0, ageMs: 0 };

function fleetAt() {
  const clock = { ms: 0 };
  const fleet = new NatsFleet(() => clock.ms);
  const came = (
    box: string,
    recording: string,
    lagSec: number,
    applicationId = "robot",
    ageMs = 0,
  ) => fleet.came({ box, recording, applicationId, messages: 2, bytes: 100, lagSec, ageMs });
  return { clock, fleet, came };
}

describe("NatsFleet", () => {
  it("tells boxes in the order in which they came, with their recordings, the last in front", () => {
    const { clock, fleet, came } = fleetAt();
    came("b", "one", 0.1);
    came("a", "two", 0.2, "");
    clock.ms = 5000;
    came("b", "three", 0.3);
    came("a", "two", 0.4, "arm");
    const [b, a] = fleet.boxes;
    assertEquals([b!.box, b!.messages, b!.bytes, b!.lagSec], ["b", 4, 200, 0.3]);
    assertEquals(
      b!.recordings.map(({ id, silentSec, lagSec }) => [id, silentSec, lagSec]),
      [["three", 0, 0.3], ["one", 5, 0.1]],
    );
    assertEquals(
      a!.recordings.map(({ id, applicationId, messages }) => [id, applicationId, messages]),
      [
        ["two", "arm", 4],
      ],
    );
  });

  it("makes a list anew only after twenty times as long as it took", () => {
    let [ms, listMs] = [0, 0];
    // Each look at the clock takes time: so does a list.
    const fleet = new NatsFleet(() => ms += listMs);
    const came = (recording: string) =>
      fleet.came({
        ...{ box: "a", recording, applicationId: "robot", messages: 1, bytes: 1, ...NOW },
      });
    came("one");
    listMs = 10;
    assertEquals(fleet.boxes[0]!.recordings.length, 1);
    listMs = 0;
    came("two");
    ms += 199;
    assertEquals(fleet.boxes[0]!.recordings.length, 1);
    ms += 1;
    assertEquals(fleet.boxes[0]!.recordings.length, 2);
  });

  it("makes a list anew after ten seconds, also where the program stood still for an hour", () => {
    let [ms, listMs] = [0, 0];
    const fleet = new NatsFleet(() => ms += listMs);
    listMs = 3_600_000;
    assertEquals(fleet.boxes, []);
    listMs = 0;
    fleet.came({
      ...{ box: "a", recording: "r", applicationId: "robot", messages: 1, bytes: 1, ...NOW },
    });
    ms += 9_999;
    assertEquals(fleet.boxes, []);
    ms += 1;
    assertEquals(fleet.boxes.length, 1);
  });

  it("keeps one recording id of two boxes apart", () => {
    const { fleet, came } = fleetAt();
    came("a", "run", 0.1);
    came("b", "run", 0.2);
    assertEquals(fleet.boxes.map(({ box, recordings }) => [box, recordings.length]), [
      ["a", 1],
      ["b", 1],
    ]);
    assertEquals(fleet.summary, { boxes: 2, live: 2, recordings: 2, lagSec: 0.2 });
  });

  it("takes what is silent for a minute for gone, and its lag with it", () => {
    const { clock, fleet, came } = fleetAt();
    came("a", "old", 9);
    clock.ms = 61_000;
    came("b", "new", 0.5);
    assertEquals(fleet.summary, { boxes: 2, live: 1, recordings: 1, lagSec: 0.5 });
    const [a] = fleet.boxes;
    assertEquals([a!.silentSec, a!.lagSec], [61, 0]);
  });

  it("takes a recording that ended long ago for gone once a late reader has caught up", () => {
    const { clock, fleet, came } = fleetAt();
    clock.ms = 5_000;
    // While it catches up, both were live at the place where it reads.
    fleet.behindMs = 900_000;
    came("a", "ended", 901, "robot", 901_000);
    came("b", "goes on", 900, "robot", 900_000);
    assertEquals(fleet.summary, { boxes: 2, live: 2, recordings: 2, lagSec: 901 });
    assertEquals(fleet.boxes.map(({ silentSec, lagSec }) => [silentSec, lagSec]), [
      [1, 901],
      [0, 900],
    ]);
    clock.ms = 6_000;
    fleet.behindMs = 0;
    came("b", "goes on", 0.2, "robot", 100);
    assertEquals(fleet.summary, { boxes: 2, live: 1, recordings: 1, lagSec: 0.2 });
    assertEquals(fleet.boxes.map(({ silentSec, lagSec }) => [silentSec, lagSec]), [
      [902, 0],
      [0.1, 0.2],
    ]);
  });

  it("remembers so many recordings of all boxes, and lets the one longest silent go", () => {
    const { fleet, came } = fleetAt();
    came("a", "first", 0);
    for (let i = 0; i < 50_000; i++) came("b", `r${i}`, 0);
    const [a, b] = fleet.boxes;
    assertEquals(a!.recordings, []);
    assertEquals(b!.recordings.length <= 50_000, true);
    assertEquals(b!.recordings[0]!.id, "r49999");
    assertEquals(b!.messages, 100_000);
  });
});
