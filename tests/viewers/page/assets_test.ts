import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { PAGE_MODULE, pageModule } from "../../../tools/page_files.mjs";
import { read, ROOT } from "../../project/tree.ts";
import { pageAssets } from "../../../lib/viewers/page/assets.ts";
import { PAGE_FILES } from "../../../lib/viewers/page/page_files.ts";

const page = pageAssets();
const text = async (path: string) => new TextDecoder().decode((await page.get(path, ""))!.body);

describe("files of the page", () => {
  it("are all there that they ask for", async () => {
    // The viewers' folders are chosen when it is known who logs.
    const asked = new Set(["/", "/viewer/index.js", "/viewer-0.33/index.js"]);
    for (const path of asked) {
      const file = await page.get(path, "");
      assert(file !== undefined, `there is no ${path}`);
      if (!/^text\/(html|javascript)/.test(file.type) || path.includes("/re_")) continue;
      const found = (await text(path)).matchAll(
        /(?:src|href)="([\w./-]+)"|(?:from|import\() ?"(\.[^"]+)"|new URL\("([^"]+)", import/g,
      );
      const folder = path.replace(/[^/]*$/, "");
      for (const [, html, imported, url] of found) {
        asked.add(new URL((html ?? imported ?? url)!, `http://host${folder}`).pathname);
      }
    }
    assert(asked.has("/viewer.js") && asked.has("/plot/uPlot.esm.js"), [...asked].join());
  });

  it("are compressed once where that is accepted", async () => {
    const plain = await page.get("/main.js", "identity");
    const packed = await page.get("/main.js", "gzip, br");
    assertEquals([plain?.encoding, packed?.encoding], [undefined, "gzip"]);
    assertEquals(new Uint8Array(gunzipSync(packed!.body)), new Uint8Array(plain!.body));
    assertEquals([packed?.size, packed?.etag], [plain!.body.length, plain!.etag]);
    assert((await page.get("/main.js", "gzip"))!.body === packed!.body);
  });

  it("are not compressed for who takes no gzip, or likes it less", async () => {
    const encoding = async (accepted: string) => (await page.get("/main.js", accepted))!.encoding;
    for (
      const refused of ["", "br", "gzip;q=0", "GZIP ; Q=0.000", "*;q=0", "gzip;q=0, *", "gzipped"]
    ) {
      assertEquals(await encoding(refused), undefined, refused);
    }
    assertEquals(await encoding("gzip;q=0.1, identity"), undefined);
    for (
      const taken of ["gzip", "x-gzip", "*", "br;q=1.0, gzip;q=0.8, *;q=0.1", "identity;q=0, *"]
    ) {
      assertEquals(await encoding(taken), "gzip", taken);
    }
  });

  it("are those of the folder, made a module by deno task page-files", async () => {
    assertEquals(read(PAGE_MODULE), await pageModule(ROOT));
    for (const name of ["api.js", "icon.svg", "panel.css"]) {
      assertEquals(await text(`/${name}`), read(`lib/viewers/page/${name}`));
    }
  });

  it("stay small: our own parts, without Rerun's viewers and the plots", () => {
    const files = Object.values(PAGE_FILES);
    const plain = files.reduce((sum, text) => sum + text.length, 0);
    const packed = files.reduce((sum, text) => sum + gzipSync(text, { level: 9 }).length, 0);
    assert(plain < 72_000, `${plain} bytes`);
    assert(packed < 28_000, `${packed} bytes compressed`);
  });

  it("come from this server alone", async () => {
    for (
      const path of [
        "/",
        "/main.js",
        "/panel.css",
        "/style.css",
        "/viewer.js",
        "/plots.js",
        "/api.js",
      ]
    ) {
      assertEquals(
        (await text(path)).match(/(?<!rerun\+)https?:\/\/(?!www\.w3\.org)[^\s"'`]+/g),
        null,
        path,
      );
    }
  });

  it("set what peers say as text only", async () => {
    for (
      const path of [
        "/main.js",
        "/fleet.js",
        "/recordings.js",
        "/clients.js",
        "/dom.js",
        "/viewer.js",
      ]
    ) {
      assertEquals(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write/.test(await text(path)),
        false,
      );
    }
  });

  it("are no others", async () => {
    assertEquals(await page.get("/../package.json", ""), undefined);
    assertEquals(await page.get("/assets.ts", ""), undefined);
  });
});
