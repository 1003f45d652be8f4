/** The short form of tests/soak/idle_h2.ts, which takes 10,000. */
import process from "node:process";
import { describe, it } from "node:test";
import { assert } from "@std/assert";
import { cases } from "../counts.ts";
import { idleH2 } from "./idle_h2.ts";

const options = {
  timeout: 120_000,
  skip: process.platform !== "linux" && "memory is read from /proc",
};

const must = (ok: boolean, what: string) => assert(ok, what);

describe("idle HTTP/2 connections beside rapid reset and bombs", options, () => {
  it("stay, and memory stays within what options allow", () =>
    idleH2({ count: cases(3000, 300), seconds: cases(6, 2), patience: 5 }, must));
});
