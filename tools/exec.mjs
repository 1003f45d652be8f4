/**
 * Runs programs of the test command: their whole output, a deadline, and nothing left behind.
 */
import { spawn } from "node:child_process";
import process from "node:process";

const WINDOWS = process.platform === "win32";
const running = new Set();

/**
 * Runs a program to its end.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: Record<string, string | undefined>, deadlineSec: number }} options
 * @returns {Promise<{ ok: boolean, output: string }>} standard output and error as they came
 */
export function exec(command, args, { cwd, env, deadlineSec }) {
  return new Promise((resolve) => {
    const stdio = ["ignore", "pipe", "pipe"];
    // A group of its own, so that what it started ends with it.
    const child = spawn(command, args, { cwd, env, stdio, detached: !WINDOWS });
    running.add(child);
    let output = `$ ${shown(command, args)}\n`;
    child.stdout.on("data", (data) => output += data);
    child.stderr.on("data", (data) => output += data);
    const deadline = setTimeout(() => {
      output += `\nIt took longer than ${deadlineSec} s and was ended.\n`;
      end(child);
    }, deadlineSec * 1000);
    const finish = (ok, more = "") => {
      clearTimeout(deadline);
      running.delete(child);
      resolve({ ok, output: output + more });
    };
    child.on("error", (error) => finish(false, `${error.message}\n`));
    child.on("close", (code, signal) => finish(code === 0, signal ? `Ended by ${signal}.\n` : ""));
  });
}

/** The command, without the names of all the files. */
function shown(command, args) {
  const files = args.filter((arg) => arg.endsWith(".ts"));
  if (files.length < 10) return [command, ...args].join(" ");
  const others = args.filter((arg) => !arg.endsWith(".ts"));
  return [command, ...others, `(${files.length} files)`].join(" ");
}

/** Ends all programs that run; for when this one is told to end. */
export function endAll() {
  for (const child of running) end(child);
}

function end(child) {
  try {
    if (WINDOWS) child.kill();
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
