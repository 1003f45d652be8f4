/**
 * Real Caddy and nginx before the server, with the configurations of deploy/: a real SDK logs through
 * them, and the page, live streams and WebSockets come through them. What is not installed is skipped.
 *
 * `deno run -A tests/conformance/proxies.ts [--runtimes deno,bun] [--proxies nginx,caddy]`
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";
import { Child, killAll, run, within } from "./child.ts";
import { Cli, cliCommand, type Runtime } from "./cli_process.ts";
import { findPython } from "./python.ts";
import { cacheFolder, type Sdk, SdkCache } from "./sdk_cache.ts";

const DOCS = fileURLToPath(new URL("../../docs/deploy.md", import.meta.url));
const DEPLOY = fileURLToPath(new URL("../../deploy/", import.meta.url));
const HOST = "robots.example.com";
const TOKEN = "s3cret";
const SDK_VERSION = "0.41.0";
/** Where the docs put the page and HTTP streams as well. */
const PREFIX = "/robot";

/** Messages of 300 kB, 9 MB in all: nginx by itself ends calls after the first. */
const IMAGES = 30;
const PROGRAM = `
import sys, time
import numpy as np
import rerun as rr
noise = np.random.default_rng(1)
rr.init("behind_proxy", recording_id="proxied")
rr.connect_grpc(sys.argv[1])
for i in range(${IMAGES}):
    rr.set_time("frame", sequence=i)
    rr.log("camera", rr.Image(noise.integers(0, 255, (316, 316, 3), np.uint8)))
    time.sleep(0.05)
`;
import { freePort } from "../free_ports.ts";

/** Nothing here takes so long, in milliseconds. */
const STEP_MS = 60_000;
const READY_MS = 15_000;

/** Where a proxy listens. */
interface Ports {
  /** With TLS. */
  readonly tls: number;
  /** Without, for HTTP/2. */
  readonly clear: number;
}

/** Where the server listens. */
interface Server {
  readonly sdk: number;
  readonly socket: number;
  readonly page: number;
}

/** A configuration of deploy/, with the addresses of this test. */
type Configure = (text: string, folder: string, ports: Ports, server: Server) => string;

const PROXIES: Record<string, { command(folder: string): string[]; configure: Configure }> = {
  nginx: {
    command: (folder) => ["nginx", "-p", folder, "-e", "error.log", "-c", "nginx.conf"],
    configure: (text, folder, { tls, clear }, { sdk, page }) =>
      `daemon off; pid nginx.pid; worker_processes 1; events {}
      http {
        access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f;
        uwsgi_temp_path u; scgi_temp_path s; types { application/wasm wasm; }
        ${
        text
          .replace(
            "listen 443 ssl http2",
            `listen 127.0.0.1:${tls} ssl http2; listen 127.0.0.1:${clear} http2`,
          )
          .replaceAll(`/etc/ssl/${HOST}`, join(folder, "tls"))
          .replace("127.0.0.1:9876", `127.0.0.1:${sdk}`)
          .replaceAll("127.0.0.1:9090", `127.0.0.1:${page}`)
      }
      }`,
  },
  caddy: {
    command(folder) {
      return ["caddy", "run", "--config", join(folder, "caddy.conf"), "--adapter", "caddyfile"];
    },
    configure(text, folder, { tls, clear }, { sdk, socket, page }) {
      const site = text
        .replace("127.0.0.1:9876", `127.0.0.1:${sdk}`)
        .replace("127.0.0.1:9877", `127.0.0.1:${socket}`)
        .replaceAll("127.0.0.1:9090", `127.0.0.1:${page}`);
      const files = `tls ${join(folder, "tls.pem")} ${join(folder, "tls.key")}`;
      return `{
        admin off
        auto_https disable_redirects
        storage file_system ${folder}
        servers {
          protocols h1 h2 h2c
        }
      }
      ${site.replace(`${HOST} {`, `http://127.0.0.1:${clear} {`)}
      ${site.replace(`${HOST} {`, `https://${HOST}:${tls} {\n${files}`)}`;
    },
  },
};

/** A certificate that nobody has signed. */
async function certify(folder: string): Promise<void> {
  const files = ["-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.pem")];
  const subject = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`];
  const args = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    ...files,
    ...subject,
  ];
  await run(["openssl", ...args], { ms: STEP_MS });
}

/** What the proxy answers to a browser or a program. */
function get(ports: Ports, path: string, untilBytes = Infinity): Promise<[number, Uint8Array]> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: "127.0.0.1",
      port: ports.tls,
      path,
      servername: HOST,
      headers: { host: HOST, authorization: `Bearer ${TOKEN}`, origin: `https://${HOST}` },
      rejectUnauthorized: false,
    }, (response) => {
      const pieces: Uint8Array[] = [];
      const end = () => resolve([response.statusCode!, Buffer.concat(pieces)]);
      let bytes = 0;
      response.on("data", (piece: Uint8Array) => {
        pieces.push(piece);
        bytes += piece.length;
        if (bytes < untilBytes) return;
        end();
        asked.destroy();
      });
      response.on("end", end);
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

async function scenario(runtime: Runtime, proxy: string, sdk: Sdk): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rerelay-proxy-"));
  try {
    const path = join(folder, "a.rrd");
    const [tls, clear, socket, page] = await Promise.all([1, 2, 3, 4].map(freePort));
    await using cli = await Cli.start(runtime, [
      ...["--save", path, "--serve-web"],
      ...["--ws-server-port", `${socket}`, "--web-viewer-port", `${page}`],
      ...["--allow-host", HOST, "--allow-origin", `https://${HOST}`],
    ], { env: { RERELAY_VIEWER_TOKEN: TOKEN } });
    const ports = { tls: tls!, clear: clear! };
    const server = { sdk: cli.port, socket: socket!, page: page! };
    await certify(folder);
    const { command, configure } = PROXIES[proxy]!;
    const shipped = await shippedConfiguration(proxy);
    await writeFile(join(folder, `${proxy}.conf`), configure(shipped, folder, ports, server));
    await using front = new Child(command(folder), {
      env: { ...process.env, HOME: folder } as Record<string, string>,
    });
    const gone = front.ended.then(({ stderr }) => {
      throw new Error(`${proxy} ended: ${stderr.slice(-500)}`);
    });
    const healthy = async () => {
      for (;;) {
        const answer = await get(ports, "/healthz").catch(() => undefined);
        if (answer !== undefined) return answer[0];
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const health = await within(READY_MS, `${proxy} to listen`, Promise.race([healthy(), gone]));
    gone.catch(() => {});
    check(health === 200, `/healthz: ${health}`);
    const [pageStatus, html] = await get(ports, "/");
    check(pageStatus === 200 && new TextDecoder().decode(html).includes("<title>"), "no page");

    await checkPrefix(ports);

    // Live: what the SDK has logged comes while it still logs.
    const program = join(folder, "log.py");
    await writeFile(program, PROGRAM);
    const url = `rerun+http://127.0.0.1:${ports.clear}/proxy`;
    const logged = run([sdk.python, program, url], { ms: STEP_MS, env: sdk.env });
    logged.catch(() => {});
    const [, live] = await within(
      STEP_MS,
      "a live stream",
      (async () => {
        for (;;) {
          const answer = await get(ports, "/recordings/proxied.rrd", 2_000_000);
          if (answer[0] === 200) return answer;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      })(),
    );
    check(live.length >= 2_000_000, `a live stream of ${live.length} bytes`);
    const [, under] = await get(ports, `${PREFIX}/recordings/proxied.rrd`, 2_000_000);
    check(under.length >= 2_000_000, `a live stream of ${under.length} bytes under a path`);
    const ended = await logged;
    check(ended.stderr === "", `the SDK wrote ${ended.stderr}`);
    const [, list] = await get(ports, "/recordings");
    const [recording] = JSON.parse(new TextDecoder().decode(list));
    check(recording?.id === "proxied", `listed: ${new TextDecoder().decode(list)}`);
    if (proxy === "caddy") {
      const viewer = new WebSocket(`ws://127.0.0.1:${ports.clear}/ws?token=${TOKEN}`);
      viewer.binaryType = "arraybuffer";
      await within(
        STEP_MS,
        "a message by WebSocket",
        new Promise((resolve, reject) => {
          viewer.onmessage = resolve;
          viewer.onerror = () => reject(new Error("the WebSocket failed"));
        }),
      );
      viewer.close();
    }
    front.kill("SIGTERM");
    await cli.stop();
    const { stdout } = await run([...cliCommand(runtime), "rrd", "stats", "--json", path], {
      ms: STEP_MS,
    });
    const [{ recordings: [saved] }] = JSON.parse(stdout);
    // One row more has the recording's properties.
    check(saved.rows === IMAGES + 1, `${saved.rows} rows are saved of ${IMAGES} images`);
    const complaints = cli.complaints([]);
    check(complaints.length === 0, complaints.join("\n"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What deploy/ has for a proxy, and what docs/deploy.md says for a path.
 *
 * @throws if the docs do not say it any more
 */
async function shippedConfiguration(proxy: string): Promise<string> {
  const [file, language, start] = proxy === "nginx"
    ? ["nginx.conf", "nginx", "location / {"]
    : ["Caddyfile", "caddyfile", `${HOST} {\n`];
  const text = await readFile(join(DEPLOY, file!), "utf8");
  const fence = new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, "m");
  const under = fence.exec(await readFile(DOCS, "utf8"))?.[1];
  if (under === undefined) throw new Error(`docs/deploy.md has no block of ${language}`);
  return proxy === "nginx"
    ? text.replace(start!, () => `${under}\n${start}`)
    : text.replace(start!, () => `${start}${under}\n`);
}

/**
 * The page under a path: it and all that it loads, and live streams.
 *
 * @throws if anything of it does not come
 */
async function checkPrefix(ports: Ports): Promise<void> {
  const [status, html] = await get(ports, `${PREFIX}/`);
  const page = new TextDecoder().decode(html);
  check(status === 200 && page.includes("<title>"), `no page under ${PREFIX}/: ${status}`);
  const links = [...page.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
    .filter((path) => !/^(?:https?:|data:|#)/.test(path));
  check(links.length > 1, `the page loads ${links}`);
  const more = ["viewer/index.js", "viewer-0.33/index.js", "plot/uPlot.esm.js", "status"];
  for (const path of [...links, ...more]) {
    const { pathname } = new URL(path, `https://${HOST}${PREFIX}/`);
    check(pathname.startsWith(`${PREFIX}/`), `the page asks for ${path}`);
    const [status, body] = await get(ports, pathname);
    check(status === 200 && body.length > 0, `${pathname}: ${status}`);
  }
}

/** Whether a program is installed. */
async function isThere(program: string): Promise<boolean> {
  try {
    await run(["sh", "-c", `command -v ${program}`], { ms: STEP_MS });
    return true;
  } catch {
    return false;
  }
}

const args = parseArgs(process.argv.slice(2), { string: ["runtimes", "proxies"] });
const runtimes = String(args.runtimes ?? "deno,bun").split(",") as Runtime[];
const proxies = String(args.proxies ?? "nginx,caddy").split(",");
let [passed, failed, skipped] = [0, 0, 0];
const sdk = await new SdkCache(cacheFolder(), await findPython()).get(SDK_VERSION);
for (const proxy of proxies) {
  if (!await isThere(proxy)) {
    console.log(`Skipped: there is no ${proxy} on PATH (Debian: apt install ${proxy})`);
    skipped += runtimes.length;
    continue;
  }
  for (const runtime of runtimes) {
    try {
      await scenario(runtime, proxy, sdk);
      console.log(`ok     ${runtime} behind ${proxy}`);
      passed++;
    } catch (error) {
      console.log(`FAILED ${runtime} behind ${proxy}: ${(error as Error).message}`);
      failed++;
    } finally {
      killAll();
    }
  }
}
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exit(failed === 0 ? 0 : 1);
