/** Short forms of the scripts beside this file. */
import process from "node:process";
import { describe, it } from "node:test";
import { assert } from "@std/assert";
import { seeded } from "../random.ts";
import { many } from "./many.ts";
import { stopAtRandom } from "./stops.ts";

const SEED = 3;
const linux = process.platform === "linux";
const options = { timeout: 60_000, skip: !linux && "memory and descriptors are read in /proc" };
const must = (ok: boolean, what: string) => assert(ok, `seed ${SEED}: ${what}`);

describe("load", options, () => {
  it("many clients that are cut off lose no message, nor double one", () =>
    many({ clients: 30, seconds: 1, seed: SEED }, must));

  it("SIGTERM at a random moment closes the file", async () => {
    // On a machine that is busy, 1.8 s may not be enough for what its clients have sent.
    let end = await stopAtRandom(seeded(SEED));
    for (let i = 1; i < 5 && end.code === 1; i++) end = await stopAtRandom(seeded(SEED + i));
    assert(end.code === 0 && end.seconds < 10, `${end.code} after ${end.seconds} s`);
  });
});
