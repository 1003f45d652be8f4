import { assert, assertEquals, assertRejects } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryTcp, Server, silentLog } from "../../mod.ts";
import { natsTarget } from "../../lib/forward/nats_target.ts";
import { TargetRefused, TargetUnfit } from "../../lib/forward/target.ts";
import { fromNats } from "../../lib/server/from_nats.ts";
import type { NatsCredentials } from "../../lib/nats/connection.ts";
import { batchOf, capturedMessages, numbered } from "../forward/batches.ts";
import { makeCertificates, noOpenssl } from "./certificates.ts";
import { jwtAccount } from "./jwt.ts";
import { NatsServer, noNats } from "./nats_server.ts";

const options = { skip: noNats, timeout: 60_000 };
const never = new AbortController().signal;
const msgs = capturedMessages("0.22.1-mixed").slice(0, 12);

/** Who may speak to a server, and who may not. */
interface Case {
  readonly config: string;
  /** Before the address of the server. */
  readonly scheme?: string;
  readonly right: NatsCredentials;
  /** What stands in the address, in place of options. */
  readonly inAddress?: string;
  readonly wrong: NatsCredentials;
  /** Why somebody without the right is told that he has to change something. */
  readonly told?: RegExp;
}

/** A box sends, and a middle receives it; whoever has no right gets neither. */
async function play({ config, scheme = "nats", right, inAddress = "", wrong, told }: Case) {
  await using nats = await NatsServer.start(config);
  const url = `${scheme}://${inAddress}127.0.0.1:${nats.port}`;
  const bare = `${scheme}://127.0.0.1:${nats.port}`;
  const stranger = natsTarget({ url: bare, box: "box-8", instance: "two", ...wrong });
  const error = await assertRejects(
    () => stranger.send(batchOf("file-b", numbered(msgs)), never),
    Error,
  );
  // Who mends it on the server need not start the box again.
  assert(!(error instanceof TargetRefused));
  if (told) assertToldIn(error, told);
  await stranger.close();
  const box = natsTarget({ url, box: "box-7", instance: "one", ...right });
  await box.send(batchOf("file-a", numbered(msgs)), never);
  const server = await Server.listen(memoryTcp(), { log: silentLog });
  const feed = fromNats({ url, ...right });
  server.join(feed);
  let came = 0;
  for await (const batch of server.batches()) {
    came += batch.filter(({ payload }) => payload.type === "msg").length;
    feed.received(batch);
    if (came >= msgs.length) break;
  }
  assertEquals(came, msgs.length);
  assert(!box.name.includes("secret") && !feed.name.includes("secret"));
  await Promise.all([box.close(), server.close()]);
}

function assertToldIn(error: Error, told: RegExp): void {
  assert(error instanceof TargetUnfit, `${error}`);
  assert(told.test(error.message), error.message);
}

describe("credentials for NATS", () => {
  let folder = "";
  const read = (name: string) => readFileSync(join(folder, name), "utf8");

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "rerelay-tls-"));
    if (noOpenssl === false) makeCertificates(folder);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const tls = () => `cert_file: "${folder}/server.pem", key_file: "${folder}/server.key"`;
  const needsOpenssl = { ...options, skip: noNats || noOpenssl };

  it("by a token", options, async () => {
    const config = 'authorization { token: "a secret/token" }';
    await play({ config, right: { token: "a secret/token" }, wrong: { token: "another" } });
    await play({ config, right: {}, inAddress: "a%20secret%2Ftoken@", wrong: {} });
  });

  it("by a user name and a password", options, async () => {
    const config = 'authorization { user: "box", password: "secret" }';
    const wrong = { user: "box", password: "no" };
    const told = /--nats-user/;
    await play({ config, right: { user: "box", password: "secret" }, wrong, told });
    await play({ config, right: {}, inAddress: "box:secret@", wrong });
  });

  it(
    "by an account of the server's configuration, with a JetStream of its own",
    options,
    async () => {
      const config = `accounts {
  ROBOTS { jetstream: enabled, users: [{ user: "box", password: "secret" }] }
  OTHERS { users: [{ user: "guest", password: "secret" }] }
}`;
      const wrong = { user: "guest", password: "secret" };
      await play({ config, right: { user: "box", password: "secret" }, wrong });
    },
  );

  it("by a credentials file, with a JWT and a key", options, async () => {
    const { config, credentials } = jwtAccount();
    const wrong = { credentials: jwtAccount().credentials };
    const told = /--nats-credentials/;
    await play({ config, right: { credentials }, wrong, told });
    await play({ config, right: { credentials }, wrong: { credentials: "no key" }, told });
  });

  it("over TLS, by an authority of our own", needsOpenssl, async () => {
    const config = `tls { ${tls()} }`;
    const ca = read("ca.pem");
    const told = /certificate.*--nats-ca/;
    await play({ config, right: { ca }, wrong: {}, told });
    await play({ config, scheme: "tls", right: { ca }, wrong: { ca: "no certificate" }, told });
  });

  it("over TLS, by a certificate of our own", needsOpenssl, async () => {
    const config = `tls { ${tls()}, ca_file: "${folder}/ca.pem", verify: true }`;
    const right = { ca: read("ca.pem"), cert: read("client.pem"), key: read("client.key") };
    await play({ config, right, wrong: { ca: right.ca } });
    await using nats = await NatsServer.start(config);
    const url = `tls://127.0.0.1:${nats.port}`;
    // The server says so when the handshake is over for the client: now with the one error, now with another.
    const told = /certificate.*--nats-cert/i;
    for (let i = 0; i < 10; i++) {
      const box = natsTarget({ url, box: "box-7", instance: "one", ca: right.ca });
      const error = await assertRejects(() => box.check!(never), Error);
      assert(told.test(error.message), error.message);
      await box.close();
    }
  });

  it("over TLS with a credentials file", needsOpenssl, async () => {
    const { config, credentials } = jwtAccount();
    const ca = read("ca.pem");
    await play({
      config: `${config}\ntls { ${tls()} }`,
      scheme: "tls",
      right: { ca, credentials },
      wrong: { credentials },
    });
  });

  it("is not sent over a connection that is not encrypted, where it must be", options, async () => {
    await using nats = await NatsServer.start();
    const url = `tls://127.0.0.1:${nats.port}`;
    const box = natsTarget({ url, box: "box-7", instance: "one", token: "secret" });
    const error = await assertRejects(
      () => box.send(batchOf("file-a", numbered(msgs)), never),
      Error,
    );
    assertToldIn(error, /nats:\/\/ in place of tls:\/\//);
    await box.close();
  });
});
