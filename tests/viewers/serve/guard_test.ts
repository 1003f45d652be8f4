import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { type GuardOptions, viewerGuard } from "../../../lib/viewers/serve/guard.ts";

/** The status that refuses a request, or 200. */
function status(
  options: GuardOptions,
  host: string,
  headers: Record<string, string> = {},
  query = "",
): number {
  const guard = viewerGuard(options);
  // What stands in the header counts, as the adapters pass it on.
  const request = new Request(`http://${host}/recordings${query}`, {
    headers: { host, ...headers },
  });
  return (guard.refuse(request) ?? guard.refuseToken(request))?.status ?? 200;
}

describe("the guard", () => {
  for (
    const [host, options, expected] of [
      ["localhost:9090", {}, 200],
      ["LOCALHOST.:9090", {}, 200],
      ["page.localhost", {}, 200],
      ["127.0.0.1:9877", {}, 200],
      ["127.3.2.1", {}, 200],
      ["[::1]:9090", {}, 200],
      ["evil.example", {}, 421],
      ["127.0.0.1.evil.example", {}, 421],
      ["localhost.evil.example", {}, 421],
      ["notlocalhost", {}, 421],
      ["10.0.0.5:9090", {}, 421],
      ["10.0.0.5:9090", { hostname: "10.0.0.5" }, 200],
      ["10.0.0.6:9090", { hostname: "10.0.0.5" }, 421],
      ["[fd00::5]:9090", { hostname: "fd00::5" }, 200],
      ["10.0.0.5:9090", { hostname: "0.0.0.0" }, 200],
      ["[fd00::5]", { hostname: "::" }, 200],
      ["evil.example", { hostname: "0.0.0.0" }, 421],
      ["robot.local:9090", { allowHosts: ["Robot.local"] }, 200],
      ["robot.local.evil.example", { allowHosts: ["robot.local"] }, 421],
      ["2130706433", {}, 200], // 127.0.0.1 in one number, as browsers take it
    ] as const
  ) {
    it(`answers ${expected} where ${host} is asked for with ${JSON.stringify(options)}`, () => {
      assertEquals(status(options, host), expected);
    });
  }

  for (
    const [origin, options, expected] of [
      ["http://localhost:9877", {}, 200], // the very server that is asked
      ["http://localhost:9090", { pagePort: () => 9090 }, 200],
      ["http://127.0.0.1:9090", { pagePort: () => 9090 }, 200],
      ["http://localhost:9091", { pagePort: () => 9090 }, 403],
      ["http://evil.example:9090", { pagePort: () => 9090 }, 403],
      ["https://localhost:9090", { pagePort: () => 9090 }, 403],
      ["http://localhost", { pagePort: () => 80 }, 200],
      ["http://localhost:3000", {}, 403],
      ["null", {}, 403],
      ["", {}, 403],
      ["file://", {}, 403],
      ["https://app.example", { allowOrigins: ["https://app.example/"] }, 200],
      ["https://app.example.evil.example", { allowOrigins: ["https://app.example"] }, 403],
    ] as const
  ) {
    it(`answers ${expected} to a page of ${origin} with ${Object.keys(options)}`, () => {
      assertEquals(status(options, "localhost:9877", { origin }), expected);
    });
  }

  it("serves an address of one link, whatever the client calls that link", () => {
    const hostname = "fe80::fc:ff:fe00:1%eth0";
    for (const zone of ["", "%eth0", "%25eth0", "%wlan1"]) {
      const host = `[fe80::fc:ff:fe00:1${zone}]:9090`;
      assertEquals(status({ hostname }, "localhost", { host }), 200, zone);
      assertEquals(status({ hostname: "::" }, "localhost", { host }), 200, zone);
    }
    assertEquals(status({ hostname }, "[fe80::2]:9090"), 421);
    assertEquals(status({ allowHosts: ["fe80::2%eth0"] }, "[fe80::2]:9090"), 200);
    assertEquals(status({ hostname }, "localhost", { host: "evil.example%eth0:9090" }), 421);
  });

  it("refuses what other sites embed, which has no origin", () => {
    const site = { "sec-fetch-site": "cross-site" };
    assertEquals(status({}, "localhost", { ...site, "sec-fetch-mode": "no-cors" }), 403);
    assertEquals(status({}, "localhost", { ...site, "sec-fetch-mode": "navigate" }), 200);
    assertEquals(status({}, "localhost", { "sec-fetch-site": "same-origin" }), 200);
  });

  it("asks for the token, in the query or in a header", () => {
    const token = "s3cret-ünïcode";
    const given = (headers: Record<string, string>, query = "") =>
      status({ token }, "localhost", headers, query);
    assertEquals(given({}), 401);
    assertEquals(given({}, `?token=${encodeURIComponent(token)}`), 200);
    for (const wrong of ["", "s3cret", `${token}x`, "x".repeat(token.length)]) {
      assertEquals(given({}, `?token=${encodeURIComponent(wrong)}`), 401);
    }
    const ascii = (headers: Record<string, string>) =>
      status({ token: "abc" }, "localhost", headers);
    // As people write it: there a plus sign means a space, of which tokens have none.
    assertEquals(status({ token: "a+b/c==" }, "localhost", {}, "?token=a+b/c=="), 200);
    assertEquals(ascii({ authorization: "Bearer abc" }), 200);
    assertEquals(ascii({ authorization: "bearer  abc " }), 200);
    assertEquals(ascii({ authorization: "Basic abc" }), 401);
    assertEquals(ascii({ authorization: "Bearer abcabc" }), 401);
  });

  it("says which option would let a request pass, and nothing of the token", async () => {
    const guard = viewerGuard({ token: "s3cret" });
    const answers = [
      guard.refuse(new Request("http://evil.example/"))!,
      guard.refuse(new Request("http://localhost/", { headers: { origin: "http://a" } }))!,
      guard.refuseToken(new Request("http://localhost/?token=wrong"))!,
    ];
    const types = answers.map(({ headers }) => headers.get("content-type"));
    assertEquals(new Set(types), new Set(["text/plain; charset=utf-8"]));
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    const options = ["--allow-host", "--allow-origin", "--viewer-token"];
    assertEquals(texts.map((text, i) => text.includes(options[i]!)), [true, true, true]);
    // Who gave one must not be told to give one.
    const none = await guard.refuseToken(new Request("http://localhost/"))!.text();
    assertEquals(none.slice(0, 17), "A token is needed");
    assertEquals(texts[2]!.slice(0, 17), "This is not the t");
    assertEquals(texts.some((text) => /s3cret|wrong/.test(text)), false);
  });

  it("lets nobody in for a token that was meant to come from the environment", () => {
    for (const token of [undefined, null, 5]) {
      const options = { token } as unknown as { token: string };
      const { message } = assertThrows(() => viewerGuard(options), TypeError);
      assertEquals(message.slice(0, 11), "token must ");
    }
    const { message } = assertThrows(
      () => viewerGuard({ token: undefined } as unknown as { token: string }),
      TypeError,
    );
    assert(message.endsWith("not undefined; leave it out where none is needed"), message);
  });

  it("takes no host, no origin and no token that is none", () => {
    for (const token of ["", "a b", "a\n"]) {
      const { message } = assertThrows(() => viewerGuard({ token }), TypeError);
      assertEquals(message.includes("a b"), false);
    }
    assertThrows(() => viewerGuard({ allowHosts: ["a b"] }), TypeError);
    assertThrows(() => viewerGuard({ allowOrigins: ["example.com"] }), TypeError);
    assertThrows(() => viewerGuard({ allowOrigins: ["data:x"] }), TypeError, "https://example.com");
  });
});

describe("the token's cookie", () => {
  const guard = viewerGuard({ token: "a;b" });
  const url = "http://robot:9090/recordings";

  it("is given to who has shown the token, and to nobody else", () => {
    const shown = new Request(url, { headers: { authorization: "Bearer a;b" } });
    assertEquals(
      guard.tokenCookie(shown),
      "rerelay-token-9090=a%3Bb; HttpOnly; SameSite=Strict; Path=/",
    );
    assertEquals(guard.tokenCookie(new Request(url)), undefined);
    assertEquals(viewerGuard().tokenCookie(shown), undefined);
  });

  it("counts only where it is asked for", () => {
    const request = new Request(url, { headers: { cookie: "a=b; rerelay-token-9090=a%3Bb" } });
    assertEquals(guard.refuseToken(request)?.status, 401);
    assertEquals(guard.refuseToken(request, true), undefined);
  });
});
