/**
 * The server over Bun's TCP, for programs that know which runtime they run on.
 *
 * @module
 */
import { checkIsOptions } from "../base/check_arguments.ts";
import type { ServeOptions } from "./options.ts";
import { Server } from "./server.ts";
import { collectGarbage } from "../adapters/process/bun_memory.ts";
import { bunTcp } from "../adapters/tcp/bun_tcp.ts";

export { bunTcp };
export { bunFiles } from "../adapters/files/bun_files.ts";

/**
 * Listens to Rerun logging SDKs over Bun's TCP.
 *
 * @param options all may be left out: it listens at 127.0.0.1:9876 then
 * @throws {TcpBindError} if the address can't be bound
 * @throws {RangeError} if an option is out of its range
 * @throws {TypeError} if there is no such option
 *
 * @example
 * ```ts ignore
 * import { serve } from "@rerelay/server/bun";
 * import { silentLog } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serve({ port: 0, log: silentLog });
 * assertEquals(server.addr.hostname, "127.0.0.1");
 * ```
 */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  checkIsOptions("serve", options);
  return await Server.listen(bunTcp, { collectGarbage, ...options });
}
