/** Links in a process of their own, which takes no more for them than a router on the way would. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Child } from "../conformance/child.ts";
import type { LinkOptions } from "./slow_link.ts";

const SCRIPT = fileURLToPath(new URL("links.py", import.meta.url));
const READY_MS = 20_000;

/** One of them; viewers connect to its port instead of the server's. */
export interface Link {
  readonly port: number;
  /** Ports of its own connections to the server. */
  readonly serverPorts: readonly number[];
}

/** All links of a run. */
export class LinksProcess implements AsyncDisposable {
  private constructor(readonly links: readonly Link[], readonly child: Child) {}

  /**
   * Opens them.
   *
   * @param target port of the server
   * @param links how they are
   */
  static async open(target: number, links: readonly LinkOptions[]): Promise<LinksProcess> {
    const options = JSON.stringify(links.map((link) => ({ target, ...link })));
    const child = new Child([process.env.RERELAY_PYTHON ?? "python3", SCRIPT, options]);
    const [line] = await child.waitFor(/^\[.*\]$/m, READY_MS);
    const ports = JSON.parse(line) as number[];
    const opened = ports.map((port, index): Link => ({
      port,
      get serverPorts() {
        return Array.from(child.stdout.matchAll(/^\{.*\}$/gm), ([line]) => JSON.parse(line))
          .filter(({ link }) => link === index).map(({ port }) => port as number);
      },
    }));
    return new LinksProcess(opened, child);
  }

  /** Ends all that goes through them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}
