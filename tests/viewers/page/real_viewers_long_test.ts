import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { pageAssets } from "../../../lib/viewers/page/assets.ts";

const page = pageAssets();

describe("Rerun's viewers on the page, tens of MB each", () => {
  for (const [folder, version] of [["viewer", "0.22.0"], ["viewer-0.33", "0.33.0"]] as const) {
    it(`are the real viewer's ${version}, with the types that browsers insist on`, async () => {
      const wasm = await page.get(`/${folder}/re_viewer_bg.wasm`, "");
      assertEquals(wasm?.type, "application/wasm");
      assertEquals(Array.from(wasm!.body.subarray(0, 4)), [0, 0x61, 0x73, 0x6d]);
      assert(new TextDecoder("latin1").decode(wasm!.body).includes(version));
      const packed = await page.get(`/${folder}/re_viewer_bg.wasm`, "gzip");
      assertEquals([packed?.encoding, packed?.size], ["gzip", wasm!.body.length]);
      assert(new Uint8Array(gunzipSync(packed!.body)).every((byte, i) => byte === wasm!.body[i]));
      assert((await page.get(`/${folder}/re_viewer`, ""))!.type.startsWith("text/javascript"));
      assert(await page.get(`/${folder}/index.js`, ""));
    });
  }
});
