import { describe, it } from "node:test";
import { bunTcp } from "../../../lib/adapters/tcp/bun_tcp.ts";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";
import { poolContract } from "../../contract/pool_contract.ts";
import { dialSystem } from "../../contract/tcp_clients.ts";
import { tcpContract } from "../../contract/tcp_contract.ts";
import { tcpSystemContract } from "../../contract/tcp_system_contract.ts";

if (detectRuntime() !== "bun") it.skip("bunTcp needs Bun");
else {
  describe("bunTcp", () => {
    tcpContract(bunTcp, dialSystem);
    tcpSystemContract(bunTcp);
    poolContract(bunTcp, dialSystem);
  });
}
