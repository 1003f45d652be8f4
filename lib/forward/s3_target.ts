/**
 * A target in object storage that speaks S3: each closed file is uploaded once, under its name.
 *
 * @module
 */
import { AwsClient } from "aws4fetch";
import {
  checkCallable,
  checkGiven,
  checkOptions,
  hasMethods,
  type OptionNames,
} from "../base/check_arguments.ts";
import { checkObject, checkSecret, checkText } from "../base/check_options.ts";
import { loadFileAdapter } from "../adapters/load.ts";
import type { FileReadAdapter, ReadableFile } from "../adapters/files/types.ts";
import { reason, RerelayError } from "../base/errors.ts";
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { S3Parts, sumOfParts } from "./_s3_parts.ts";
import { hideSecrets } from "./url.ts";
import { parseS3Url } from "./s3_place.ts";
import { NO_S3, S3Client, S3Error, type S3Object, sumOf } from "./_s3_client.ts";
import { type ClosedFile, type FileTarget, TargetRefused, TargetUnfit } from "./target.ts";
import { FileUnreadable, isUnreadableNow } from "./_unreadable_now.ts";
import { isTlsError } from "../base/tls_errors.ts";
import { plural } from "../base/plural.ts";

/**
 * Files up to this length, in bytes, are uploaded in one request; longer ones in parts of at least
 * this length.
 */
const PART_BYTES = 16 * 1024 * 1024;
/** S3's limit for the parts of one upload. */
const MAX_PARTS = 10_000;

/** Who may upload. */
export interface S3Credentials {
  /** As `AWS_ACCESS_KEY_ID`. */
  readonly accessKeyId: string;
  /** As `AWS_SECRET_ACCESS_KEY`. */
  readonly secretAccessKey: string;
  /** As `AWS_SESSION_TOKEN`, for keys that are lent for a while. */
  readonly sessionToken?: string;
}

/** Options of {@linkcode s3Target}. */
export interface S3TargetOptions {
  /** Who may upload. */
  readonly credentials: S3Credentials;
  /** Reads the files; default the disk, as for `rrdFileSink`. */
  readonly files?: Pick<FileReadAdapter, "openAt">;
  /**
   * The URL of a server other than Amazon's, such as `http://127.0.0.1:7070`; the bucket is then
   * the first part of the path.
   */
  readonly endpoint?: string;
  /** The region that requests are signed for; default `us-east-1`. */
  readonly region?: string;
  /** Gets a line if another box has a file under the same name. */
  readonly log?: Log;
  /** Sends requests; default the runtime's `fetch`. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Milliseconds since the Unix epoch, by which requests are signed; default `Date.now`. */
  readonly date?: Clock["date"];
}

const NAMES: OptionNames<S3TargetOptions> = {
  ...{ credentials: true, files: true, endpoint: true, region: true, log: true, fetch: true },
  ...{ date: true },
};
const CREDENTIALS: OptionNames<S3Credentials> = {
  ...{ accessKeyId: true, secretAccessKey: true, sessionToken: true },
};

/** Refuses what would be signed with the word "undefined", or fail with the first file. */
function checkS3(url: string, options: S3TargetOptions): void {
  checkText("url", url);
  checkOptions("s3Target", options, NAMES);
  const { credentials, files, endpoint, region } = options;
  checkObject("credentials", credentials ?? null, "{ accessKeyId, secretAccessKey }");
  checkOptions("credentials", credentials, CREDENTIALS);
  checkText("credentials.accessKeyId", credentials.accessKeyId);
  checkSecret("credentials.secretAccessKey", credentials.secretAccessKey);
  const { sessionToken } = credentials;
  if (sessionToken !== undefined) checkSecret("credentials.sessionToken", sessionToken);
  const canRead = files === undefined || hasMethods(files, "openAt");
  checkGiven("s3Target", "files that can be opened", canRead, files);
  if (endpoint !== undefined) checkEndpoint(endpoint);
  if (region !== undefined) checkText("region", region);
  checkCallable(options, ["fetch", "date"]);
}

function checkEndpoint(endpoint: string): void {
  checkText("endpoint", endpoint);
  if (/^https?:\/\/[^/?#@]+(\/[^?#]*)?$/i.test(endpoint) && URL.canParse(endpoint)) return;
  throw new RangeError(
    `endpoint must be a URL such as http://10.0.0.5:9000 (AWS_ENDPOINT_URL), not ${
      JSON.stringify(hideSecrets(endpoint))
    }`,
  );
}

/** The URL that keys are appended to. */
function baseOf(bucket: string, region: string, endpoint: string | undefined): string {
  if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, "")}/${bucket}/`;
  const domain = `s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  // The certificates of Amazon's are for one name before the domain, in which a bucket may have dots.
  return bucket.includes(".") ? `https://${domain}/${bucket}/` : `https://${bucket}.${domain}/`;
}

/**
 * Makes a target that uploads closed files to S3, and compares the checksum of what is there with what
 * was sent.
 *
 * An object is never replaced by another file. If the same file is there already, it counts as
 * uploaded; if another one has its name, that stays, and the file is uploaded with eight letters of
 * its id in its name.
 *
 * @param url `s3://BUCKET/PREFIX`
 * @param options credentials, the server, and what reads the files, if that is not the disk
 * @throws {RangeError} if the URL names no bucket, or a key is missing
 * @throws {TypeError} if there is no such option
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { s3Target } from "@rerelay/server/s3";
 *
 * const credentials = { accessKeyId: "me", secretAccessKey: "secret" };
 * const target = s3Target("s3://recordings/box-7", { credentials });
 * assertEquals(target.name, "s3://recordings/box-7/");
 * await target.close();
 * ```
 */
export function s3Target(url: string, options: S3TargetOptions): FileTarget {
  checkS3(url, options);
  const { bucket, prefix, name } = parseS3Url(url);
  const { credentials, files, endpoint, region = "us-east-1", log } = options;
  const { fetch: send = (request) => fetch(request) } = options;
  const { date = SYSTEM_CLOCK.date } = options;
  const base = baseOf(bucket, region, endpoint);
  const aws = new AwsClient({ ...credentials, service: "s3", region, retries: 0 });
  const s3 = new S3Client({ aws, base, fetch: send, date });
  const parts = new S3Parts(s3);
  const ending = new AbortController();
  return {
    kind: "files",
    name,
    maxUnderWay: 1,
    async check(signal) {
      try {
        await s3.look(prefix, AbortSignal.any([signal, ending.signal]));
      } catch (error) {
        throw explained(error, name);
      }
    },
    async sendFile(file, signal) {
      const until = AbortSignal.any([signal, ending.signal]);
      let opened: ReadableFile | undefined;
      try {
        opened = await openFile(files ?? await loadFileAdapter(), file);
        await upload({ s3, parts, prefix }, { file, opened, log, name }, until);
      } catch (error) {
        throw explained(error, name);
      } finally {
        await opened?.close();
      }
    },
    close() {
      ending.abort(new RerelayError(`Uploading to ${name} ends`));
      return parts.close();
    },
  };
}

/** A file that is being uploaded. */
interface Uploaded {
  readonly file: ClosedFile;
  readonly opened: ReadableFile;
  readonly log: Log | undefined;
  /** The name of the target, for messages. */
  readonly name: string;
}

/** Where files are uploaded. */
interface Store {
  readonly s3: S3Client;
  readonly parts: S3Parts;
  readonly prefix: string;
}

async function upload(
  { s3, parts, prefix }: Store,
  { file, opened, log, name }: Uploaded,
  signal: AbortSignal,
): Promise<void> {
  const { size } = opened;
  const first = prefix + file.name;
  const own = prefix + withId(file.name, file.id);
  let key = first;
  let there = await s3.head(first, signal);
  if (there !== undefined && there.id !== file.id) {
    key = own;
    there = await s3.head(own, signal);
    const text = `${name} has another file ${file.name}: this one is uploaded as ${key}`;
    if (there === undefined) log?.write("warn", text, { path: file.path });
  }
  const parted = { key, id: file.id, bytes: size };
  await parts.giveUpAllBut(parted);
  // A file that got its chunk index after it was uploaded is longer than the object, and replaces
  // it.
  if (there?.id === file.id && there.bytes === size) {
    // It may be there otherwise than it was sent, which was told when it was compared.
    if (isSum(there.checksum, await checksumOf(opened, file.path))) return;
  }
  const checksum = size <= PART_BYTES
    ? await s3.put(key, await readAll(opened, 0, size, file.path), file.id, signal)
    : await parts.put(parted, (from) => partsOf(opened, file.path, from), signal);
  compare(key, { bytes: size, id: file.id, checksum }, await s3.head(key, signal));
}

/**
 * Compares the checksums. A server that keeps none has compared the content with the signature of
 * the request.
 */
function compare(key: string, sent: S3Object, there: S3Object | undefined): void {
  const isSame = there?.bytes === sent.bytes && isSum(there.checksum, sent.checksum);
  if (isSame) return;
  const text = there === undefined
    ? `${key} is not there after its upload`
    : `${key} is there with ${plural(there.bytes, "byte")}, checksum ${
      there.checksum ?? "unknown"
    }; sent were ` +
      `${sent.bytes}, checksum ${sent.checksum}`;
  throw new S3Error(text, 200, "BadDigest");
}

/**
 * Whether a checksum is that of what was sent. A server may tell none, or of what was sent in parts one of
 * all bytes, in place of one made of those of the parts: these can't be compared.
 */
function isSum(told: string | undefined, sent = ""): boolean {
  return told === undefined || told === sent || (sent.includes("-") && !told.includes("-"));
}

/** The checksum that a file has once it is uploaded. */
async function checksumOf(file: ReadableFile, path: string): Promise<string> {
  if (file.size <= PART_BYTES) return (await sumOf(await readAll(file, 0, file.size, path))).base64;
  const digests: Uint8Array<ArrayBuffer>[] = [];
  for await (const bytes of partsOf(file, path, 0)) digests.push((await sumOf(bytes)).digest);
  return await sumOfParts(digests);
}

async function* partsOf(
  file: ReadableFile,
  path: string,
  from: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const length = Math.max(PART_BYTES, Math.ceil(file.size / MAX_PARTS));
  for (let at = from * length; at < file.size; at += length) {
    yield await readAll(file, at, Math.min(length, file.size - at), path);
  }
}

async function readAll(
  file: ReadableFile,
  from: number,
  length: number,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const read = await file.readAt(from + at, bytes.subarray(at)).catch((error) => {
      throw unreadable(error, path);
    });
    if (read === 0) throw new RerelayError(`${path} became shorter while it was uploaded`);
    at += read;
  }
  return bytes;
}

async function openFile(
  files: Pick<FileReadAdapter, "openAt">,
  { path }: ClosedFile,
): Promise<ReadableFile> {
  try {
    return await files.openAt(path);
  } catch (error) {
    throw unreadable(error, path);
  }
}

/** What an error of the disk means for the upload: that it is tried later, or never. */
function unreadable(cause: unknown, path: string): Error {
  if (isUnreadableNow(cause)) return new FileUnreadable(reason(cause), { cause });
  return new TargetRefused(`${path} can't be uploaded: ${reason(cause)}`, "batch");
}

function withId(name: string, id: string): string {
  const dot = name.lastIndexOf(".");
  const short = id.replaceAll("-", "").slice(0, 8);
  return dot <= 0 ? `${name}.${short}` : `${name.slice(0, dot)}.${short}${name.slice(dot)}`;
}

const NOT_THERE = "look at AWS_ENDPOINT_URL and AWS_REGION, and whether this network lets you out";

/** What can be done about an error, by S3's code or the status. */
const ADVICE: Readonly<Record<string, string>> = {
  // Answers to HEAD have no body, so only the status tells what is wrong.
  "403":
    "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and at what the keys may",
  "404": "look at the name of the bucket, and at AWS_ACCESS_KEY_ID",
  "301": "set AWS_REGION to the bucket's region",
  ...{ "302": NOT_THERE, "303": NOT_THERE, "307": NOT_THERE, "308": NOT_THERE, [NO_S3]: NOT_THERE },
  NoSuchBucket: "make the bucket; we make none",
  AccessDenied: "the keys need s3:ListBucket of the bucket, and s3:PutObject, s3:GetObject and " +
    "s3:AbortMultipartUpload of what is in it",
  InvalidAccessKeyId: "look at AWS_ACCESS_KEY_ID",
  SignatureDoesNotMatch: "look at AWS_SECRET_ACCESS_KEY and AWS_REGION",
  RequestTimeTooSkewed: "set the clock of this machine",
  ExpiredToken: "start this program again with new keys",
  AuthorizationHeaderMalformed: "set AWS_REGION to the bucket's region",
  PermanentRedirect: "set AWS_REGION to the bucket's region",
};

const CERTIFICATE_ADVICE =
  "look at the server's certificate, and at the clock of this machine; an " +
  "authority of your own is named by NODE_EXTRA_CA_CERTS";

function adviceOf({ code, status }: S3Error): string | undefined {
  // The upload begins anew, with which nobody has anything to do.
  return code === "NoSuchUpload" ? undefined : ADVICE[code] ?? ADVICE[status];
}

function explained(error: unknown, name: string): unknown {
  if (error instanceof TargetRefused || error instanceof FileUnreadable) return error;
  const advice = error instanceof S3Error
    ? adviceOf(error)
    : isTlsError(error)
    ? CERTIFICATE_ADVICE
    : undefined;
  // Runtimes tell only there whether nobody listens, or a name is unknown.
  const { cause } = Object(error) as { cause?: unknown };
  const why = cause instanceof Error ? ` (${reason(cause)})` : "";
  const text = `${name}: ${reason(error)}${why}`;
  if (advice !== undefined) return new TargetUnfit(`${text}: ${advice}`, { cause: error });
  return new RerelayError(text, { cause: error });
}
