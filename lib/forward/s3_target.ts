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
import type { Log } from "../base/log.ts";
import { parseS3Url } from "./s3_place.ts";
import { S3Client, S3Error, type S3Object } from "./_s3_client.ts";
import { type ClosedFile, type FileTarget, TargetRefused } from "./target.ts";
import { FileUnreadable, isUnreadableNow } from "./_unreadable_now.ts";
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
}

const NAMES: OptionNames<S3TargetOptions> = {
  ...{ credentials: true, files: true, endpoint: true, region: true, log: true, fetch: true },
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
  if (endpoint !== undefined) checkText("endpoint", endpoint);
  if (region !== undefined) checkText("region", region);
  checkCallable(options, ["fetch"]);
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
  const host = `https://${bucket}.s3.${region}.amazonaws.com/`;
  const base = endpoint === undefined ? host : `${endpoint.replace(/\/+$/, "")}/${bucket}/`;
  const aws = new AwsClient({ ...credentials, service: "s3", region, retries: 0 });
  const s3 = new S3Client({ aws, base, fetch: send });
  const ending = new AbortController();
  return {
    kind: "files",
    name,
    maxUnderWay: 1,
    async sendFile(file, signal) {
      const until = AbortSignal.any([signal, ending.signal]);
      let opened: ReadableFile | undefined;
      try {
        opened = await openFile(files ?? await loadFileAdapter(), file);
        await upload(s3, prefix, { file, opened, log, name }, until);
      } catch (error) {
        throw explained(error, name);
      } finally {
        await opened?.close();
      }
    },
    close() {
      ending.abort(new RerelayError(`Uploading to ${name} ends`));
      return Promise.resolve();
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

async function upload(
  s3: S3Client,
  prefix: string,
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
  // A file that got its chunk index after it was uploaded is longer than the object, and replaces
  // it.
  if (there?.id === file.id && there.bytes === size) return;
  const checksum = size <= PART_BYTES
    ? await s3.put(key, await readAll(opened, 0, size, file.path), file.id, signal)
    : await s3.putParts(key, partsOf(opened, file.path), file.id, signal);
  compare(key, { bytes: size, id: file.id, checksum }, await s3.head(key, signal));
}

/**
 * Compares the checksums. A server that keeps none has compared the content with the signature of
 * the request.
 */
function compare(key: string, sent: S3Object, there: S3Object | undefined): void {
  const isSame = there !== undefined && there.bytes === sent.bytes &&
    (there.checksum ?? sent.checksum) === sent.checksum;
  if (isSame) return;
  const text = there === undefined
    ? `${key} is not there after its upload`
    : `${key} is there with ${plural(there.bytes, "byte")}, checksum ${
      there.checksum ?? "unknown"
    }; sent were ` +
      `${sent.bytes}, checksum ${sent.checksum}`;
  throw new S3Error(text, 200, "BadDigest");
}

async function* partsOf(
  file: ReadableFile,
  path: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const length = Math.max(PART_BYTES, Math.ceil(file.size / MAX_PARTS));
  for (let at = 0; at < file.size; at += length) {
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

/** What can be done about an error, by S3's code or the status. */
const ADVICE: Readonly<Record<string, string>> = {
  // Answers to HEAD have no body, so only the status tells what is wrong.
  "403":
    "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and at what the keys may",
  "301": "set AWS_REGION to the bucket's region",
  NoSuchBucket: "make the bucket; we make none",
  AccessDenied: "the keys need s3:PutObject, s3:GetObject and s3:AbortMultipartUpload there",
  InvalidAccessKeyId: "look at AWS_ACCESS_KEY_ID",
  SignatureDoesNotMatch: "look at AWS_SECRET_ACCESS_KEY and AWS_REGION",
  RequestTimeTooSkewed: "set the clock of this machine",
  PermanentRedirect: "set AWS_REGION to the bucket's region",
};

function explained(error: unknown, name: string): unknown {
  if (error instanceof TargetRefused || error instanceof FileUnreadable) return error;
  const advice = error instanceof S3Error ? ADVICE[error.code || error.status] : undefined;
  const text = `${name}: ${reason(error)}${advice === undefined ? "" : `: ${advice}`}`;
  return new RerelayError(text, { cause: error });
}
