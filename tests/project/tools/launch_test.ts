import { describe, it } from "node:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";

/** Longer than the time in which signals count as one. */
const LATER_MS = 300;

interface Launcher {
  kill(signal: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGKILL"): void;
  /** The next line that the program wrote. */
  next(): Promise<string | undefined>;
  /** `[code, signal]` of the launcher. */
  readonly ended: Promise<unknown[]>;
}

function start(...args: string[]): Launcher {
  const launcher = fileURLToPath(new URL("./launcher.mjs", import.meta.url));
  const before = detectRuntime() === "deno" ? ["run", "-A"] : [];
  const child = spawn(process.execPath, [...before, launcher, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    // Not `child.kill`: Deno's acts once, and reports the signal in place of the exit code.
    kill: (signal) => void process.kill(child.pid!, signal),
    next: async () => (await lines.next()).value,
    ended: once(child, "exit"),
  };
}

async function startReady(...args: string[]): Promise<Launcher> {
  const launcher = start(...args);
  const said = [await launcher.next(), await launcher.next()];
  assertEquals(said.sort(), ["launched", "ready"]);
  return launcher;
}

function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LATER_MS));
}

describe("launch", { skip: process.platform === "win32" }, () => {
  it("ends with the program's code", async () => {
    assertEquals(await start("0", "7").ended, [7, null]);
  });

  it("ends by the program's signal", async () => {
    assertEquals(await start("SIGTERM").ended, [null, "SIGTERM"]);
  });

  it("passes a signal on, and the code the program then ends with", async () => {
    const { kill, next, ended } = await startReady("1", "3");
    kill("SIGTERM");
    assertEquals(await next(), "SIGTERM");
    assertEquals(await ended, [3, null]);
  });

  it("takes signals of one moment for one, and a later one for a second", async () => {
    const { kill, next, ended } = await startReady("2", "3");
    kill("SIGINT");
    kill("SIGTERM");
    const first = await next();
    await later();
    kill("SIGINT");
    assertEquals([["SIGINT", "SIGTERM"].includes(first!), await next()], [true, "SIGINT"]);
    assertEquals(await next(), undefined);
    assertEquals(await ended, [3, null]);
  });

  it("ends the program in order when the terminal closes", async () => {
    const { kill, next, ended } = await startReady("1", "0");
    kill("SIGHUP");
    assertEquals(await next(), "SIGTERM");
    assertEquals(await ended, [0, null]);
  });

  it("leaves no program behind when it is killed itself", async () => {
    const { kill, next } = await startReady("1", "0");
    kill("SIGKILL");
    assertEquals(await next(), "SIGTERM");
    assertEquals(await next(), undefined);
  });
});
