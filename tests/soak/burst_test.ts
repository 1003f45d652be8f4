import process from "node:process";
import { describe, it } from "node:test";
import { assert } from "@std/assert";
import { cases } from "../counts.ts";
import { burst } from "./burst.ts";

const CONNECTIONS = cases(800, 400);

const TRIES = 3;

const must = (ok: boolean, what: string) => assert(ok, what);

const options = {
  timeout: 240_000,
  skip: process.platform !== "linux" && "memory is read from /proc",
};

// The script does the same with 10,000.
describe("short connections one after the other, faster than they are received", options, () => {
  it("are all received within the memory that is allowed, at a limit of clients too", async () => {
    const load = { connections: CONNECTIONS, limitMiB: 32, seed: 1, tries: TRIES };
    await burst({ ...load, isMutated: false, args: ["--max-clients", "4"] }, must);
  });

  it("are received within it where most of them send damaged data", async () => {
    const load = { connections: CONNECTIONS, limitMiB: 32, seed: 1, tries: TRIES };
    await burst({ ...load, isMutated: true }, must);
  });
});
