/**
 * Reads addresses of NATS servers: `nats://host:4222,other:4222`.
 *
 * @module
 */

/** The parts of a NATS address. */
export interface NatsAddress {
  /** The servers, each as `host:port`. */
  readonly servers: readonly string[];
  /** Its name in logs: without user name, password and token. */
  readonly name: string;
  /** Whether the connection must be encrypted, whatever the server says. */
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
}

const DEFAULT_PORT = 4222;

/**
 * Reads an address.
 *
 * @param text `nats://HOST:PORT[,…]` or `tls://…`; before the first host may stand `USER:PASSWORD@` or `TOKEN@`
 * @throws {RangeError} that says what is valid, and repeats nothing that may be secret
 */
export function parseNatsAddress(text: string): NatsAddress {
  const [, scheme, , secret, list] = /^(nats|tls):\/\/(([^@/]*)@)?([^@/]+)\/?$/.exec(text) ?? [];
  if (scheme === undefined || list === undefined) {
    throw new RangeError(
      "expected nats://HOST:PORT, several servers of one cluster as nats://A:4222,B:4222",
    );
  }
  const servers = list.split(",").map((server) => {
    const [, host, port] = /^(\[[0-9a-fA-F:.%]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/.exec(server) ?? [];
    if (host === undefined || Number(port ?? DEFAULT_PORT) > 65_535) {
      // Where the host was forgotten, what stands behind the colon is a password.
      const shown = server.slice(0, 60).replace(/:(?!\d{1,9}$).*$/s, ":…");
      throw new RangeError(`expected HOST:PORT between commas, not "${shown}"`);
    }
    return `${host}:${port ?? DEFAULT_PORT}`;
  });
  const name = `${scheme}://${servers.join(",")}`;
  return { servers, name, tls: scheme === "tls", ...secretsOf(secret) };
}

function secretsOf(text: string | undefined): Pick<NatsAddress, "user" | "password" | "token"> {
  if (text === undefined || text === "") return {};
  const colon = text.indexOf(":");
  if (colon < 0) return { token: decoded(text) };
  return { user: decoded(text.slice(0, colon)), password: decoded(text.slice(colon + 1)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError("a % in the user name, password or token must be written as %25");
  }
}

/** Whether two addresses may belong to the same servers. */
export function mayShareServers(a: NatsAddress, b: NatsAddress): boolean {
  return a.servers.some((server) => b.servers.includes(server));
}
