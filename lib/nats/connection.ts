/**
 * Connects to NATS with JetStream. The client library is loaded only when a connection is made.
 *
 * @module
 */
import type { OptionNames } from "../base/check_arguments.ts";
import { checkSecret, checkText } from "../base/check_options.ts";
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { ConnectionOptions, MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import { guardedConnect } from "./guarded_connect.ts";
import { type NatsAddress, parseNatsAddress } from "./address.ts";

/** Credentials for NATS, and certificates for an encrypted connection. */
export interface NatsCredentials {
  /** The content of a credentials file, which holds a JWT and a key. */
  readonly credentials?: string;
  /** A user name, if it is not in the address. */
  readonly user?: string;
  /** The password of that user. */
  readonly password?: string;
  /** A token, if it is not in the address. */
  readonly token?: string;
  /** Certificates of authorities that may have signed the server's, as PEM. */
  readonly ca?: string;
  /** The client's certificate, as PEM. */
  readonly cert?: string;
  /** The key of the client's certificate, as PEM. */
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
    if (value !== undefined) checkSecret(name, value);
  }
}

/** Options of a connection. */
export interface NatsConnectOptions extends NatsCredentials {
  /** Such as `nats://host:4222,other:4222`. */
  readonly url: string;
  /** The name of this client in the servers' monitoring. */
  readonly clientName: string;
  /** Called when the connection breaks, and when it is back. */
  readonly onLink?: (isThere: boolean) => void;
  /** Called with why an attempt to connect anew failed. */
  readonly onFailure?: (error: unknown) => void;
}

/** A connection, and the parts of the client that use it. */
export interface Nats {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
  /** Aborted when the connection breaks, since requests made over it are not answered any more. */
  readonly link: AbortSignal;
  /** Why the last attempt to connect anew failed; `undefined` while the connection is there. */
  readonly failure: unknown;
  /** Makes header fields. */
  headers(fields: readonly (readonly [string, string])[]): MsgHdrs;
  /** A new subject for answers to this client only. */
  inbox(): string;
}

/** How long a request waits for its answer, in milliseconds. */
const TIMEOUT_MS = 10_000;
/**
 * How long an attempt to connect may take, in milliseconds. The client waits as long for a server
 * that greets it and hangs up at once.
 */
const CONNECT_MS = 5000;
/**
 * How often the server is pinged, in milliseconds; the connection is closed when two answers are
 * missing.
 */
const PING_MS = 10_000;

/**
 * The pause between attempts to connect anew, in milliseconds; up to as much again is added at
 * random.
 */
const RECONNECT_MS = 500;

/**
 * Connects. From then on the client connects anew by itself whenever the connection breaks.
 *
 * @throws the error of the client if no server can be reached, or it refuses the connection
 */
export async function connectNats(options: NatsConnectOptions): Promise<Nats> {
  const address = parseNatsAddress(options.url);
  const { credsAuthenticator, createInbox, headers } = await import("@nats-io/transport-node");
  const { jetstream, jetstreamManager } = await import("@nats-io/jetstream");
  const { credentials, onLink, onFailure } = options;
  let isConnected = false;
  let failure: unknown;
  const connection = await guardedConnect({
    ...connectionOptions(address, options),
    ...(credentials !== undefined && {
      authenticator: credsAuthenticator(new TextEncoder().encode(credentials)),
    }),
  }, (error) => {
    if (!isConnected) return; // whoever connects is told
    failure = error;
    onFailure?.(error);
  });
  isConnected = true;
  const settings = { timeout: TIMEOUT_MS };
  const link = watchLink(connection, (isThere) => {
    if (isThere) failure = undefined;
    onLink?.(isThere);
  });
  try {
    return {
      connection,
      get link() {
        return link();
      },
      get failure() {
        return failure;
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

/**
 * Gives a signal for the present connection; after a break the client makes a new connection, with
 * a new signal.
 */
function watchLink(
  connection: NatsConnection,
  onLink: (isThere: boolean) => void,
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
  // `watch` ends when the connection is closed for good.
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
    timeout: CONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    reconnectJitterTLS: RECONNECT_MS,
    // Goes on after a wrong password too: somebody who changed it on the server may change it back.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...((address.tls || Object.keys(tls).length > 0) && { tls }),
  };
}
