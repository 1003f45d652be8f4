/** A program that has live viewers in a folder of its own web server; tells the ports in one line. */
import { Hono } from "hono";
import { serve } from "../../mod.ts";
import { fanOut } from "../../lib/sinks/mod.ts";
import { httpApp, pageAssets, serveHttp, viewerHub } from "../../lib/viewers/mod.ts";

const server = await serve({ port: 0, quiet: true });
const hub = viewerHub({ limitBytes: 2 ** 26 });
const app = httpApp({ hub, page: pageAssets(), status: () => ({ stats: server.stats }) });
const own = new Hono().get("/", (c) => c.text("mine"));
own.mount("/robot", app.fetch);
const { addr } = await serveHttp({ port: 0, fetch: own.fetch });
console.log(`ports ${server.addr.port} ${addr.port}`);
await fanOut([hub]).receive(server.batches());
