/**
 * Chunks with mutated Arrow schemas through the bridge, on the runtime that runs this:
 *
 *     deno run -A tests/fuzz/bridge.ts [--cases 300000] [--seed S] [--case N]
 *     bun tests/fuzz/bridge.ts
 */
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { scriptArgs } from "../script_args.ts";
import { newBridgeTally, runBridgeCase } from "./bridge_cases.ts";

const { seed, only, numbers } = scriptArgs({ cases: 300_000 });
const tally = newBridgeTally();
console.log(`${detectRuntime()}: ${only === undefined ? numbers.cases : 1} schemas, seed ${seed}`);
if (only !== undefined) runBridgeCase(seed, only, tally);
else for (let index = 0; index < numbers.cases; index++) runBridgeCase(seed, index, tally);
console.log(`  ${JSON.stringify(tally)}`);
