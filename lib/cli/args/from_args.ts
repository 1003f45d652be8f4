/**
 * The options of `--from` and of NATS.
 *
 * @module
 */
import { hideSecrets } from "../../forward/url.ts";
import { mayShareServers, parseNatsAddress } from "../../nats/address.ts";
import type { SubjectFilter } from "../../nats/subjects.ts";
import { type ArgReader, UsageError } from "./arg_reader.ts";
import type { CliOption } from "./option.ts";
import { parsePassword, secretArg, type SecretFile } from "./secret_args.ts";

/** Credentials for NATS, and files for encrypting the connection. */
export interface NatsArgs {
  readonly credentialsFile?: string;
  readonly token?: string;
  readonly tokenFile?: SecretFile;
  readonly user?: string;
  readonly password?: string;
  readonly passwordFile?: SecretFile;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly replicas: number;
}

/** What is received from NATS. */
export interface FromArgs extends SubjectFilter {
  readonly url: string;
  readonly nats: NatsArgs;
}

/** In the order of the help text. */
export const FROM_OPTIONS = [
  {
    name: "from",
    value: "URL",
    example: "nats://127.0.0.1:4222",
    show: hideSecrets,
    help: "Receive what boxes sent to NATS: nats://HOST:PORT[,HOST:PORT]",
  },
  {
    name: "from-box",
    value: "NAMES",
    example: "box-7,box-8",
    list: true,
    help: "Of these boxes alone [all]",
  },
  {
    name: "from-application",
    value: "NAMES",
    example: "welding",
    list: true,
    help: "Of these applications alone [all]",
  },
  {
    name: "from-recording",
    value: "IDS",
    example: "9f2c41d0",
    list: true,
    help: "These recordings alone [all]",
  },
] as const satisfies readonly CliOption[];

/** Options of NATS, for sending and for receiving. */
export const NATS_OPTIONS = [
  {
    name: "nats-replicas",
    value: "COUNT",
    example: "3",
    default: "1",
    help: "Copies of each message, where the stream is made",
  },
  {
    name: "nats-credentials",
    value: "FILE",
    example: "box-7.creds",
    help: "Who we are towards NATS: a .creds file",
  },
  {
    name: "nats-token",
    value: "TOKEN",
    example: "SECRET",
    secret: true,
    help: "Log in to NATS by a token; only in RERELAY_NATS_TOKEN or a file",
  },
  {
    name: "nats-token-file",
    value: "FILE",
    example: "nats-token.txt",
    help: "A file that holds this token, and nothing else",
  },
  {
    name: "nats-user",
    value: "NAME",
    example: "box-7",
    help: "Log in to NATS by this name and a password",
  },
  {
    name: "nats-password",
    value: "PASSWORD",
    example: "SECRET",
    secret: true,
    help: "That user's password; only in RERELAY_NATS_PASSWORD or a file",
  },
  {
    name: "nats-password-file",
    value: "FILE",
    example: "nats-password.txt",
    help: "A file that holds this password, and nothing else",
  },
  {
    name: "nats-ca",
    value: "FILE",
    example: "ca.pem",
    help: "Encrypt, and trust servers that these certificates signed",
  },
  { name: "nats-cert", value: "FILE", example: "cert.pem", help: "Our certificate for NATS" },
  { name: "nats-key", value: "FILE", example: "key.pem", help: "The key of that certificate" },
] as const satisfies readonly CliOption[];

/**
 * Reads the options of `--from`.
 *
 * @throws {UsageError}
 */
export function fromArgs(args: ArgReader): FromArgs | undefined {
  const url = args.read("from", (text) => {
    if (!/^(nats|tls):/.test(text)) {
      throw new RangeError("expected nats://HOST:PORT, the NATS that boxes send to by --forward");
    }
    parseNatsAddress(text);
    return text;
  }, "…");
  const filters = FROM_OPTIONS.filter(({ name }) => name !== "from").map(({ name }) => name);
  const filter = args.given(filters);
  if (url === undefined) {
    if (filter === undefined) return undefined;
    throw new UsageError(
      `${args.where(filter)} chooses from what boxes sent: add --from nats://HOST:PORT`,
    );
  }
  return {
    url,
    nats: natsArgs(args),
    boxes: args.read("from-box", parseNames) ?? [],
    applications: args.read("from-application", parseNames) ?? [],
    recordings: args.read("from-recording", parseNames) ?? [],
  };
}

/**
 * Refuses options of NATS without NATS, and forwarding to the very NATS that messages are received
 * from.
 *
 * @throws {UsageError}
 */
export function checkNats(
  args: ArgReader,
  from: FromArgs | undefined,
  forward: { readonly targets: readonly string[] } | undefined,
): void {
  const targets = forward?.targets.filter((url) => /^(nats|tls):/.test(url)) ?? [];
  const about = args.given(NATS_OPTIONS.map(({ name }) => name));
  if (about !== undefined && from === undefined && targets.length === 0) {
    const fix = "add --forward nats://HOST:PORT or --from nats://HOST:PORT";
    throw new UsageError(`${args.where(about)} is about NATS: ${fix}`);
  }
  if (from === undefined) return;
  const source = parseNatsAddress(from.url);
  const back = targets.map(parseNatsAddress).find((target) => mayShareServers(source, target));
  if (back === undefined) return;
  throw new UsageError(
    `${args.where("from")} and ${args.where("forward")} are both ${back.name}: what is received ` +
      "there would be sent there again, without end; leave one of them out",
  );
}

/**
 * Reads the options of NATS.
 *
 * @throws {UsageError}
 */
export function natsArgs(args: ArgReader): NatsArgs {
  const [credentialsFile, user, caFile, certFile, keyFile] = [
    "nats-credentials",
    "nats-user",
    "nats-ca",
    "nats-cert",
    "nats-key",
  ].map((name) => args.text(name));
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new UsageError("--nats-cert and --nats-key go together: give both");
  }
  const { value: token, file: tokenFile } = secretArg(args, "nats-token", parsePassword);
  const { value: password, file: passwordFile } = secretArg(args, "nats-password", parsePassword);
  if ((user === undefined) !== (password === undefined && passwordFile === undefined)) {
    throw new UsageError(
      "--nats-user needs a password, and a password a user: say --nats-user NAME and " +
        "--nats-password-file FILE, or set RERELAY_NATS_PASSWORD",
    );
  }
  return {
    ...(credentialsFile !== undefined && { credentialsFile }),
    ...(token !== undefined && { token }),
    ...(tokenFile !== undefined && { tokenFile }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(passwordFile !== undefined && { passwordFile }),
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
    replicas: args.read("nats-replicas", parseReplicas) ?? 1,
  };
}

function parseReplicas(text: string): number {
  if (/^[1-5]$/.test(text)) return Number(text);
  throw new RangeError("expected 1 to 5; with 3 one server may be lost, with 5 two");
}

function parseNames(text: string): string[] {
  const names = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (names.length > 0) return names;
  throw new RangeError("expected names with commas between them");
}
