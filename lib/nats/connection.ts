/**
 * A connection to NATS with JetStream. The client library is loaded where one is made.
 *
 * @module
 */
import type { OptionNames } from "../base/check_arguments.ts";
import { checkText } from "../base/check_options.ts";
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { ConnectionOptions, MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import { type NatsAddress, parseNatsAddress } from "./address.ts";

/** Who we are towards NATS, and how the connection is encrypted. */
export interface NatsCredentials {
  /** What stands in a credentials file, which holds a JWT and a key. */
  readonly credentials?: string;
  /** A user name, where it is not in the address. */
  readonly user?: string;
  /** Its password. */
  readonly password?: string;
  /** A token, where it is not in the address. */
  readonly token?: string;
  /** Certificates of authorities that may have signed the server's, as PEM. */
  readonly ca?: string;
  /** Our certificate, as PEM. */
  readonly cert?: string;
  /** Its key, as PEM. */
  readonly key?: string;
}

/** Names of all of them. */
export const CREDENTIAL_NAMES: OptionNames<NatsCredentials> = {
  ...{
    credentials: true,
    user: true,
    password: true,
    token: true,
    ca: true,
    cert: true,
    key: true,
  },
};

/**
 * Refuses an address or a secret that is no text; those left out are not looked at.
 *
 * @throws {RangeError} that names the option, and tells nothing of what is in it
 */
export function checkAccess(options: NatsCredentials & { readonly url: string }): void {
  checkText("url", options.url);
  for (const name of Object.keys(CREDENTIAL_NAMES) as (keyof NatsCredentials)[]) {
    const value: unknown = options[name];
    if (value !== undefined) checkText(name, value);
  }
}

/** How a connection is made. */
export interface NatsConnectOptions extends NatsCredentials {
  /** Such as `nats://host:4222,other:4222`. */
  readonly url: string;
  /** How the servers' monitoring names us. */
  readonly clientName: string;
  /** Told when the connection breaks, and when it is there again. */
  readonly onLink?: (isThere: boolean) => void;
}

/** A connection, and what is asked over it. */
export interface Nats {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
  /** Aborted once the connection breaks: what was asked for over it is not answered any more. */
  readonly link: AbortSignal;
  /** New header fields. */
  headers(fields: readonly (readonly [string, string])[]): MsgHdrs;
  /** A subject that only we are sent to. */
  inbox(): string;
}

/** Who does not answer is left: an attempt to connect, or a request, waits for so long in milliseconds. */
const TIMEOUT_MS = 10_000;
/** A peer is asked for a sign of life so often, and is left when two are missing, in milliseconds. */
const PING_MS = 10_000;

/** Between attempts to connect anew, in milliseconds; up to as much again by chance. */
const RECONNECT_MS = 500;

/**
 * Connects; from then on the client connects anew by itself whenever it has to.
 *
 * @throws whatever the client says if no server can be reached, or does not take us
 */
export async function connectNats(options: NatsConnectOptions): Promise<Nats> {
  const address = parseNatsAddress(options.url);
  const { connect, credsAuthenticator, createInbox, headers } = await import(
    "@nats-io/transport-node"
  );
  const { jetstream, jetstreamManager } = await import("@nats-io/jetstream");
  const { credentials } = options;
  const connection = await connect({
    ...connectionOptions(address, options),
    ...(credentials !== undefined && {
      authenticator: credsAuthenticator(new TextEncoder().encode(credentials)),
    }),
  });
  const settings = { timeout: TIMEOUT_MS };
  const link = watchLink(connection, options.onLink);
  try {
    return {
      connection,
      get link() {
        return link();
      },
      client: jetstream(connection, settings),
      manager: await jetstreamManager(connection, { ...settings, checkAPI: false }),
      headers: (fields) => {
        const made = headers();
        for (const [name, value] of fields) made.append(name, value);
        return made;
      },
      inbox: () => createInbox(),
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Gives a signal for the connection as it is now, which the client makes anew where it breaks. */
function watchLink(
  connection: NatsConnection,
  onLink: NatsConnectOptions["onLink"] = () => {},
): () => AbortSignal {
  let link = new AbortController();
  const broken = () => {
    if (!link.signal.aborted) onLink(false);
    link.abort(new Error("the connection to NATS is broken"));
  };
  const watch = async () => {
    for await (const { type } of connection.status()) {
      if (type === "disconnect") broken();
      else if (type === "reconnect") {
        broken();
        link = new AbortController();
        onLink(true);
      }
    }
  };
  // It ends with the connection.
  watch().finally(broken);
  return () => link.signal;
}

function connectionOptions(address: NatsAddress, options: NatsConnectOptions): ConnectionOptions {
  const { ca, cert, key, clientName } = options;
  const user = options.user ?? address.user;
  const password = options.password ?? address.password;
  const token = options.token ?? address.token;
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
  return {
    servers: [...address.servers],
    name: clientName,
    timeout: TIMEOUT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    reconnectJitterTLS: RECONNECT_MS,
    // Whoever changes a password on the server may change it back.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...((address.tls || Object.keys(tls).length > 0) && { tls }),
  };
}
