/**
 * The server over Deno's TCP, for programs that know which runtime they run on.
 *
 * @module
 */
import { checkIsOptions } from "../base/check_arguments.ts";
import type { ServeOptions } from "./options.ts";
import { Server } from "./server.ts";
import { collectGarbage } from "../adapters/process/deno_memory.ts";
import { denoTcp } from "../adapters/tcp/deno_tcp.ts";

export { denoTcp };
export { denoFiles } from "../adapters/files/deno_files.ts";

/**
 * Listens to Rerun logging SDKs over Deno's TCP.
 *
 * @param options all may be left out: it listens at 127.0.0.1:9876 then
 * @throws {TcpBindError} if the address can't be bound
 * @throws {RangeError} if an option is out of its range
 * @throws {TypeError} if there is no such option
 *
 * @example
 * ```ts
 * import { serve } from "@rerelay/server/deno";
 * import { silentLog } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serve({ port: 0, log: silentLog });
 * assertEquals(server.addr.hostname, "127.0.0.1");
 * ```
 */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  checkIsOptions("serve", options);
  return await Server.listen(denoTcp, { collectGarbage, ...options });
}
