import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openTarget, targetName } from "../../lib/forward/open_target.ts";

const KEYS: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: "me",
  AWS_SECRET_ACCESS_KEY: "secret",
};
const files = () => Promise.resolve({ openAt: () => Promise.reject(new Error("none")) });

describe("openTarget", () => {
  it("makes what the scheme names, and connects to nothing", async () => {
    for (
      const [url, kind, name] of [
        ["rerun+http://[::1]/proxy", "messages", "rerun+http://[::1]:9876/proxy"],
        ["s3://fleet/box-7", "files", "s3://fleet/box-7/"],
        ["nats://me:hush@host", "messages", "nats://host:4222"],
        ["tls://host:4223", "messages", "tls://host:4223"],
      ]
    ) {
      const nats = () => Promise.resolve({ box: "box-7", instance: "1" });
      const target = await openTarget(url!, { env: (name) => KEYS[name], files, nats });
      assertEquals([target.kind, target.name], [kind, name]);
      assertEquals(
        targetName(url!),
        name,
        "the name that its cursor has, without opening anything",
      );
      await target.close();
    }
  });

  it("says what S3 needs", async () => {
    for (const missing of Object.keys(KEYS)) {
      const env = (name: string) => name === missing ? "" : KEYS[name];
      const opened = openTarget("s3://fleet", { env, files });
      await assertRejects(() => opened, RangeError, "AWS_SECRET_ACCESS_KEY in the environment");
    }
    const opened = await openTarget("s3://fleet", { env: (name) => KEYS[name] });
    assertEquals(opened.name, "s3://fleet/");
    await opened.close();
  });

  it("refuses what it does not know, without its secrets", () => {
    for (const url of ["ftp://me:hush@host/", "s3://A/", "rerun+http://", "https://host"]) {
      const { message } = assertThrows(() => targetName(url), RangeError, "");
      assertEquals(message.includes("hush"), false, message);
    }
    assertThrows(() => targetName("rerun+http://me:hush@host/proxy"), RangeError, "no passwords");
  });
});
