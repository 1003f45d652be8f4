/** The short form of tests/soak/shelf.ts. */
import { assert } from "@std/assert";
import process from "node:process";
import { describe, it } from "node:test";
import { shelf } from "./shelf.ts";

const options = {
  timeout: 60_000,
  skip: process.platform === "win32" && "there are pipes and links of other systems on that disk",
};

describe("recordings on the disk, from outside", options, () => {
  it(
    "lead nowhere else, whatever is asked for and put in their place",
    options,
    () => shelf("Bun" in globalThis ? "bun" : "deno", 200, (ok, what) => assert(ok, what)),
  );
});
