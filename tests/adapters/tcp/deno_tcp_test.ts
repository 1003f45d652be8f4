import { describe, it } from "node:test";
import { denoTcp } from "../../../lib/adapters/tcp/deno_tcp.ts";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";
import { poolContract } from "../../contract/pool_contract.ts";
import { dialSystem } from "../../contract/tcp_clients.ts";
import { tcpContract } from "../../contract/tcp_contract.ts";
import { tcpSystemContract } from "../../contract/tcp_system_contract.ts";

if (detectRuntime() !== "deno") it.skip("denoTcp needs Deno");
else {
  describe("denoTcp", () => {
    tcpContract(denoTcp, dialSystem);
    tcpSystemContract(denoTcp);
    poolContract(denoTcp, dialSystem);
  });
}
