/**
 * Opens the page in a browser, if there is a desktop; else it logs that there is none.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { CliProcess } from "../process.ts";

/** Commands that open an address, by system. */
const OPENERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ["open"],
  // `start` is a command of the shell and not a program.
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/**
 * Opens an address in the browser; never fails.
 *
 * @param url the address, without secrets, for it is visible in the list of processes
 * @param process its environment tells whether there is a desktop
 * @param log where it is logged if that fails
 */
export function openBrowser(
  url: string,
  process: Pick<CliProcess, "env" | "platform">,
  log: Log,
): void {
  const opener = OPENERS[process.platform] ??
    (process.env("DISPLAY") || process.env("WAYLAND_DISPLAY") ? ["xdg-open"] : undefined);
  const failed = (why: string) => log.write("info", `No browser was opened (${why}): go to ${url}`);
  if (opener === undefined) return failed("there is no desktop");
  const [program = "", ...args] = opener;
  if (!mayRun(program)) return failed(`--allow-run=${program} is needed for that`);
  try {
    const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
    child.on("error", (error) => failed(reason(error)));
    child.on("exit", (code) => code && failed(`${program} ended with ${code}`));
    child.unref();
  } catch (error) {
    failed(reason(error));
  }
}

/** Asked before, for Deno would stop the program and prompt for a permission that is missing. */
function mayRun(command: string): boolean {
  if (!("Deno" in globalThis) || "Bun" in globalThis) return true;
  return Deno.permissions.querySync({ name: "run", command }).state === "granted";
}
