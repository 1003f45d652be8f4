/** Finds a Python that the SDKs' packages exist for. */
import process from "node:process";
import { run } from "./child.ts";

/** numpy below 2 ends with 3.12, and the SDKs begin with 3.8; 0.9's pyarrow ends with 3.11. */
const NAMES = ["python3.11", "python3.10", "python3.9", "python3.12", "python3"];
const PROBE = "import sys, venv, ensurepip; print('%d.%d.%d' % sys.version_info[:3])";

/** A Python on this machine. */
export interface Python {
  readonly command: string;
  readonly version: string;
}

/**
 * Looks for a Python 3.9 to 3.12 that can make virtual environments.
 *
 * @throws if there is none
 */
export async function findPython(): Promise<Python> {
  const given = process.env.RERELAY_PYTHON;
  const tried: string[] = [];
  for (const command of given ? [given] : NAMES) {
    try {
      const { stdout } = await run([command, "-c", PROBE], { ms: 20_000 });
      const version = stdout.trim();
      if (/^3\.(9|1[0-2])\./.test(version)) return { command, version };
      tried.push(`${command} is ${version}`);
    } catch (error) {
      tried.push((error as Error).message);
    }
  }
  throw new Error(
    "The conformance tests run real SDKs and need a Python 3.9 to 3.12 with its venv module " +
      "(python3 on PATH; Debian: apt install python3-venv). Install one, or name one with " +
      `RERELAY_PYTHON. Tried: ${tried.join("; ")}`,
  );
}
