import { checkIsOptions } from "../base/check_arguments.ts";
import { loadGarbageCollector, loadTcpAdapter } from "../adapters/load.ts";
import type { ServeOptions } from "./options.ts";
import { Server } from "./server.ts";

/**
 * Listens to Rerun logging SDKs, over the TCP of the runtime it runs on.
 *
 * @param options all may be left out: it listens at 127.0.0.1:9876 then
 * @throws {TcpBindError} if the address can't be bound
 * @throws {RangeError} if an option is out of its range
 * @throws {TypeError} if there is no such option
 *
 * @example
 * ```ts
 * import { serve, silentLog } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serve({ port: 0, log: silentLog });
 * assertEquals(server.addr.hostname, "127.0.0.1");
 * ```
 */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  checkIsOptions("serve", options);
  const collectGarbage = await loadGarbageCollector();
  return Server.listen(await loadTcpAdapter(), { collectGarbage, ...options });
}
