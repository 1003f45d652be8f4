/** An operator, an account and a user as NATS knows them by JWTs, made here: what `nsc` would make. */
import { Buffer } from "node:buffer";
import { nkeys } from "@nats-io/transport-node";

/** What a server and a client are given. */
export interface JwtAccount {
  /** Of the server's configuration. */
  readonly config: string;
  /** What stands in the user's credentials file. */
  readonly credentials: string;
}

type Keys = ReturnType<typeof nkeys.createUser>;

/** Makes them, with new keys each time. */
export function jwtAccount(): JwtAccount {
  const operator = nkeys.createOperator();
  const system = nkeys.createAccount();
  const account = nkeys.createAccount();
  const user = nkeys.createUser();
  const limits = {
    ...{ subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true },
    ...{ conn: -1, leaf: -1 },
  };
  const stores = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const accountJwt = signed(operator, account, "robots", {
    type: "account",
    limits: { ...limits, ...stores },
  });
  const systemJwt = signed(operator, system, "SYS", { type: "account", limits });
  const operatorJwt = signed(operator, operator, "fleet", {
    type: "operator",
    system_account: system.getPublicKey(),
  });
  const userJwt = signed(account, user, "box-7", {
    ...{ type: "user", subs: -1, data: -1, payload: -1, pub: {}, sub: {} },
  });
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    config: `operator: ${operatorJwt}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload: {
  ${account.getPublicKey()}: ${accountJwt}
  ${system.getPublicKey()}: ${systemJwt}
}
`,
    credentials: [
      ...["-----BEGIN NATS USER JWT-----", userJwt, "------END NATS USER JWT------", ""],
      ...["-----BEGIN USER NKEY SEED-----", seed, "------END USER NKEY SEED------", ""],
    ].join("\n"),
  };
}

function signed(issuer: Keys, subject: Keys, name: string, nats: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = part({ typ: "JWT", alg: "ed25519-nkey" });
  const body = part({
    jti: crypto.randomUUID(),
    iat: 1_700_000_000,
    iss: issuer.getPublicKey(),
    name,
    sub: subject.getPublicKey(),
    nats: { ...nats, version: 2 },
  });
  const text = `${head}.${body}`;
  return `${text}.${
    Buffer.from(issuer.sign(new TextEncoder().encode(text))).toString("base64url")
  }`;
}
