import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { openTarget } from "../../lib/forward/open_target.ts";
import { hideSecrets } from "../../lib/forward/url.ts";

describe("hideSecrets", () => {
  const cases = [
    ["rerun+http://a:1/proxy", "rerun+http://a:1/proxy"],
    ["nats://user:pa:ss@a:4222,b:1", "nats://a:4222,b:1"],
    ["nats://u:p@a:4222,u:p@b:4222", "nats://a:4222,b:4222"],
    ["nats://to/k@en@a:4222", "nats://a:4222"],
    ["s3://bucket/a/b?key=secret", "s3://bucket/a/b"],
    ["u:p@host", "host"],
    ["nats://u:secret", "nats://u:…"],
    ["nats://[::1]:4222,[fe80::1%eth0]", "nats://[::1]:4222,[fe80::1%eth0]"],
    ["nats://t@a rerun+http://u:p@b/proxy", "nats://a rerun+http://b/proxy"],
    ["nats://u:a secret@a:4222 s3://b/c", "nats://a:4222 s3://b/c"],
  ] as const;
  for (const [text, hidden] of cases) {
    it(`gives ${hidden}`, () => assertEquals(hideSecrets(text), hidden));
  }
});

describe("openTarget", () => {
  it("gives a server its default port", async () => {
    const target = await openTarget("rerun+http://[::1]/proxy");
    assertEquals(target.name, "rerun+http://[::1]:9876/proxy");
    await target.close();
  });

  const wrong = [
    "x",
    "ftp://u:secret@a/b",
    "rerun+http://a:0/proxy",
    "rerun+http://a/b",
    "rerun://a",
    "rerun+http://a/b?secret=secret",
  ];
  for (const url of wrong) {
    it(`refuses ${hideSecrets(url)}, and shows no secret`, async () => {
      const error = await assertRejects(() => openTarget(url), RangeError);
      assertEquals(error.message.includes("secret"), false);
      assertEquals(/rerun\+http:\/\/HOST:PORT\/proxy/.test(error.message), true);
    });
  }
});
