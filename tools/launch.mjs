/**
 * Runs a program in this one's place: standard streams, signals and exit code pass through.
 *
 * On Ctrl-C a terminal signals the whole process group, and npm, `deno task` and `bun run` send the
 * same signal once more. A server takes a second one as "at once", so the program gets a session
 * of its own, and only from here, and several signals at a time count as one.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";

const WINDOWS = process.platform === "win32";
const SAME_SIGNAL_MS = 200;
const PARENT_CHECK_MS = 500;
const SIGNAL_MS = 5000;

/**
 * Runs a program until it ends.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string | undefined> }} [options]
 * @returns {Promise<{ code: number | null, signal: string | null }>} how it ended
 */
export async function launch(command, args, { env = process.env } = {}) {
  // Before the program is there: a signal that comes while it starts is its as well.
  // Not `child.kill`: Deno then reports the signal in place of the code the program ended with.
  const stop = passSignals((signal) => child.pid && signalIfAlive(child.pid, signal));
  const child = spawn(command, args, { env, stdio: "inherit", detached: !WINDOWS });
  const ended = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve({ code, signal }));
  });
  const lifeline = WINDOWS || !child.pid ? undefined : tie(child.pid);
  try {
    return await ended;
  } finally {
    stop();
    lifeline?.stdin.end("ended\n");
  }
}

/**
 * Ends this process as the program ended.
 *
 * @param {{ code: number | null, signal: string | null }} end
 */
export function endAs({ code, signal }) {
  if (!signal) process.exit(code ?? 1);
  const end = () => process.kill(process.pid, signal);
  end();
  // Deno acts on it from another thread: with nothing left to do it ended with 0 before, once.
  setInterval(end, 50);
  setTimeout(() => process.exit(128 + constants.signals[signal]), SIGNAL_MS);
}

function signalIfAlive(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

function passSignals(send) {
  let last = -Infinity;
  const pass = (signal) => {
    const now = performance.now();
    if (now - last < SAME_SIGNAL_MS) return;
    last = now;
    // On Windows all processes of the console have got it.
    if (!WINDOWS) send(signal);
  };
  // A closed terminal is no reason to lose what was logged.
  const handlers = {
    SIGINT: () => pass("SIGINT"),
    SIGTERM: () => pass("SIGTERM"),
    SIGHUP: () => pass("SIGTERM"),
  };
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  // npm, `deno task` or `bun run` killed with SIGKILL can't tell; being another one's child does. Without
  // them it would mean nothing: a shell that starts something in the background may end before it.
  const behindScript = process.env.npm_lifecycle_event ?? process.env.INIT_CWD;
  const parent = process.ppid;
  const check = setInterval(() => {
    if (behindScript === undefined || process.ppid === parent) return;
    clearInterval(check);
    pass("SIGTERM");
  }, PARENT_CHECK_MS);
  return () => {
    clearInterval(check);
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}

/** A session of its own outlives a SIGKILL for this process; a shell that reads from here does not let it. */
function tie(pid) {
  const script = `read -r line || kill -TERM ${pid}`;
  const shell = spawn("/bin/sh", ["-c", script], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  shell.unref();
  shell.stdin.unref?.();
  return shell;
}
