/**
 * Makes targets from URLs, by their schemes.
 *
 * @module
 */
import { parseNatsAddress } from "../nats/address.ts";
import type { FileReadAdapter } from "../adapters/files/types.ts";
import type { Log } from "../base/log.ts";
import { grpcTarget, type GrpcTargetOptions, serverName } from "./grpc_target.ts";
import type { NatsTargetOptions } from "./nats_target.ts";
import { parseS3Url } from "./s3_place.ts";
import type { ForwardTarget } from "./target.ts";
import { hideSecrets } from "./url.ts";

/** Options: what targets may need besides their URL. */
export interface OpenTargetOptions {
  /** Reads a variable of the environment. */
  readonly env?: (name: string) => string | undefined;
  /** Gives what NATS needs besides its address; called only for a target in NATS. */
  readonly nats?: () => Promise<Omit<NatsTargetOptions, "url">>;
  /** Gives what reads files to upload to S3, called only for a target there; default the disk. */
  readonly files?: () => Promise<Pick<FileReadAdapter, "openAt">>;
  /** The option of `grpcTarget` and `natsTarget`. */
  readonly known?: GrpcTargetOptions["known"];
  /** Gets lines about what is no failure. */
  readonly log?: Log;
}

/** A kind of target. */
interface TargetKind {
  /** An example of its URLs. */
  readonly example: string;
  /** The name of the target with this URL. Throws a `RangeError` that says which URLs are valid. */
  name(url: string): string;
  /** Makes the target, and loads the code that it needs; connects to nothing. */
  open(url: string, options: OpenTargetOptions): ForwardTarget | Promise<ForwardTarget>;
}

/** The kinds of targets, by the scheme of their URLs. */
const KINDS: Readonly<Record<string, TargetKind>> = {
  "rerun+http": {
    example: "rerun+http://HOST:PORT/proxy",
    name: (url) => serverName(serverOf(url)),
    open: (url, { known }) => grpcTarget({ ...serverOf(url), ...(known && { known }) }),
  },
  nats: { example: "nats://HOST:PORT", name: natsName, open: openNats },
  tls: { example: "tls://HOST:PORT", name: natsName, open: openNats },
  s3: { example: "s3://BUCKET/PREFIX", name: (url) => parseS3Url(url).name, open: openS3 },
};

/** Makes a target in S3 from the environment variables that are usual for S3. */
async function openS3(
  url: string,
  { env = () => undefined, files, log }: OpenTargetOptions,
): Promise<ForwardTarget> {
  const accessKeyId = env("AWS_ACCESS_KEY_ID");
  const secretAccessKey = env("AWS_SECRET_ACCESS_KEY");
  if (!accessKeyId || !secretAccessKey) {
    throw new RangeError(
      "s3:// needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment " +
        "(and AWS_REGION; AWS_ENDPOINT_URL for other servers than Amazon's)",
    );
  }
  const sessionToken = env("AWS_SESSION_TOKEN");
  const endpoint = env("AWS_ENDPOINT_URL_S3") || env("AWS_ENDPOINT_URL");
  const region = env("AWS_REGION") || env("AWS_DEFAULT_REGION");
  const { s3Target } = await import("./s3_target.ts");
  return s3Target(url, {
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
    ...(files && { files: await files() }),
    ...(endpoint && { endpoint }),
    ...(region && { region }),
    ...(log && { log }),
  });
}

async function openNats(url: string, { nats, known }: OpenTargetOptions): Promise<ForwardTarget> {
  if (nats === undefined) {
    throw new RangeError("a target in NATS needs the name and the id of the box: use natsTarget");
  }
  const { natsTarget } = await import("./nats_target.ts");
  return natsTarget({ url, ...(known && { known }), ...await nats() });
}

/** Rerun's default port. */
const PORT = 9876;

/**
 * Makes the target that a URL names, without connecting to it.
 *
 * @param url such as `rerun+http://HOST:PORT/proxy`
 * @param options the environment
 * @throws {RangeError} with what is expected instead, and without secrets
 *
 * @example
 * ```ts
 * import { openTarget } from "@rerelay/server/forward";
 * import { assertEquals } from "@std/assert";
 *
 * const target = await openTarget("rerun+http://example.com:9876/proxy");
 * assertEquals(target.name, "rerun+http://example.com:9876/proxy");
 * await target.close();
 * ```
 */
export async function openTarget(
  url: string,
  options: OpenTargetOptions = {},
): Promise<ForwardTarget> {
  const kind = kindOf(url);
  kind.name(url);
  return await kind.open(url, options);
}

/**
 * The name of the target with a URL, as its cursor has it; opens nothing.
 *
 * @throws {RangeError} as {@linkcode openTarget}
 */
export function targetName(url: string): string {
  return kindOf(url).name(url);
}

function natsName(url: string): string {
  return parseNatsAddress(url).name;
}

function kindOf(url: string): TargetKind {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase() ?? "";
  if (/^(rerun|rerun\+https|https)$/.test(scheme)) {
    throw new RangeError("TLS is not spoken by gRPC here: give rerun+http://HOST:PORT/proxy");
  }
  const kind = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined;
  if (kind !== undefined) return kind;
  const examples = Object.values(KINDS).map(({ example }) => example).join(" or ");
  throw new RangeError(`expected ${examples}, not ${hideSecrets(url)}`);
}

function serverOf(text: string): { readonly hostname: string; readonly port: number } {
  const [, v6, name, digits] =
    /^[^:]*:\/\/(?:\[([^\]]+)\]|([^:/?#@[\]]+))(?::(\d+))?(?:\/|\/proxy\/?)?$/i.exec(text) ?? [];
  const hostname = v6 ?? name;
  const port = Number(digits ?? PORT);
  if (hostname !== undefined && port >= 1 && port <= 65535) return { hostname, port };
  throw new RangeError(
    text.includes("@")
      ? "gRPC here knows no users and no passwords: give rerun+http://HOST:PORT/proxy"
      : "expected rerun+http://HOST:PORT/proxy",
  );
}
