/** What is played in a browser. */
import type { Runtime } from "../conformance/cli_process.ts";
import type { Sdk } from "../conformance/sdk_cache.ts";

/** What a scenario has at hand. */
export interface Props {
  readonly runtime: Runtime;
  readonly chromium: string;
  /** An SDK of this version, installed. */
  readonly sdk: (version: string) => Promise<Sdk>;
  /** Where screenshots go, if they are wanted. */
  readonly screenshots?: string;
}

/** One of them. */
export interface Scenario {
  readonly name: string;
  /** Where it is played; on both if left out. */
  readonly only?: Runtime;
  /** Why it is played only where `--only` asks for it. */
  readonly onRequest?: string;
  /** How long it may take, in milliseconds, where that is more than for others. */
  readonly deadlineMs?: number;
  play(props: Props): Promise<void>;
}
