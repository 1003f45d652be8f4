/**
 * The few requests of S3 that an upload needs. Both ends compare checksums.
 *
 * @module
 */
import type { AwsClient } from "aws4fetch";
import { encodeBase64 } from "@std/encoding";
import type { Clock } from "../base/clock.ts";
import { RerelayError } from "../base/errors.ts";

/** How long a request may take beside the time for its body, in milliseconds. */
const REQUEST_MS = 60_000;
/** The speed at which a body must go, in bytes per millisecond. */
const MIN_BYTES_PER_MS = 16;
/** No more of an answer is read, in characters: valid ones are short. */
const MAX_ANSWER = 64 * 1024;

/** S3 refuses what was signed a quarter of an hour ago; less than this, in milliseconds, does not matter. */
const MAX_SKEW_MS = 5 * 60_000;

/** The code of an error that S3 does not know: something else answered. */
export const NO_S3 = "NoS3";

/** S3 answered with an error. */
export class S3Error extends RerelayError {
  override readonly name = "S3Error";

  /** Takes the whole text, the status and S3's own code, such as `NoSuchBucket`. */
  constructor(message: string, readonly status: number, readonly code: string) {
    super(message);
  }
}

/** An object that is stored under a key. */
export interface S3Object {
  readonly bytes: number;
  /** The id of the file that was uploaded, from the object's metadata. */
  readonly id: string | undefined;
  /** Its checksum; `undefined` if the server keeps none. */
  readonly checksum: string | undefined;
}

/** What {@linkcode S3Client} needs. */
export interface S3ClientOptions {
  /** Signs requests. Retries must be off, since the forwarder itself tries again. */
  readonly aws: Pick<AwsClient, "sign">;
  /**
   * The URL that keys of the bucket are appended to, such as
   * `https://bucket.s3.eu-central-1.amazonaws.com/`.
   */
  readonly base: string;
  readonly fetch: (request: Request) => Promise<Response>;
  /** Milliseconds since the Unix epoch. */
  readonly date: Clock["date"];
}

/** SHA-256 of bytes as S3 writes it: base64 for its checksums, hex for the signature. */
export interface Sum {
  readonly digest: Uint8Array<ArrayBuffer>;
  readonly base64: string;
  readonly hex: string;
}

export async function sumOf(bytes: Uint8Array<ArrayBuffer>): Promise<Sum> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { digest, base64: encodeBase64(digest), hex: hexOf(digest) };
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Sends requests about one bucket. */
export class S3Client {
  readonly #options: S3ClientOptions;
  /** How far the clock of S3 is ahead of ours, in milliseconds, as far as that matters. */
  #aheadMs = 0;

  constructor(options: S3ClientOptions) {
    this.#options = options;
  }

  /** Asks for the object under a key; `undefined` if there is none. */
  async head(key: string, signal: AbortSignal): Promise<S3Object | undefined> {
    const headers = { "x-amz-checksum-mode": "ENABLED" };
    const response = await this.ask("HEAD", key, { headers, signal, allowed: [404] });
    if (response.status === 404) return undefined;
    const { headers: told } = response;
    return {
      bytes: Number(told.get("content-length") ?? NaN),
      id: told.get("x-amz-meta-rerelay-id") ?? undefined,
      checksum: told.get("x-amz-checksum-sha256") ?? undefined,
    };
  }

  /** Uploads a short file in one request; returns the checksum that the object must have. */
  async put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    id: string,
    signal: AbortSignal,
  ): Promise<string> {
    const sum = await sumOf(bytes);
    await this.ask("PUT", key, {
      headers: { "x-amz-meta-rerelay-id": id, "content-type": "application/octet-stream" },
      ...{ bytes, sum, signal },
    });
    return sum.base64;
  }

  /**
   * Asks whether the bucket is there and the keys are valid. The answer to a list has a body, which
   * tells what is wrong; that to HEAD has none.
   */
  async look(prefix: string, signal: AbortSignal): Promise<void> {
    const query = `list-type=2&max-keys=1&prefix=${encodeURIComponent(prefix)}`;
    const response = await this.ask("GET", "", { query, signal });
    // The page by which a network asks who somebody is has status 200, too.
    if ((await textOf(response)).includes("ListBucketResult")) return;
    throw new S3Error("what answers there is no S3 (GET the bucket)", response.status, NO_S3);
  }

  /**
   * Sends a request; the body of the answer is the caller's to read, but for PUT, HEAD and DELETE.
   *
   * @param method of HTTP
   * @param key of the object; empty for the bucket
   * @param options the rest of the request
   * @throws {S3Error} if S3 answers with an error that is not `allowed`
   */
  async ask(method: string, key: string, options: Ask): Promise<Response> {
    const { query, headers, bytes, sum, signal, allowed = [] } = options;
    const path = key.split("/").map(encodeURIComponent).join("/");
    const url = `${this.#options.base}${path}${query === undefined ? "" : `?${query}`}`;
    const ms = REQUEST_MS + (bytes?.length ?? 0) / MIN_BYTES_PER_MS;
    const send = async () => {
      const request = await this.#options.aws.sign(url, {
        method,
        headers: {
          ...headers,
          // With these the server checks that it received what was sent.
          ...(sum && { "x-amz-content-sha256": sum.hex }),
          ...(sum && method === "PUT" && { "x-amz-checksum-sha256": sum.base64 }),
        },
        ...(bytes && { body: bytes }),
        // It would go to another server, with the session token; and there the signature is wrong.
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(ms)]),
        aws: { datetime: this.#time() },
      });
      return await this.#options.fetch(request);
    };
    let response = await send();
    if (response.status === 403 && this.#isSkewed(response)) {
      await response.body?.cancel();
      response = await send();
    }
    if (!response.ok && !allowed.includes(response.status)) {
      const answer = await textOf(response);
      const to = response.headers.get("location");
      const isOther = to !== null && elementOf(answer, "Code") === undefined;
      const why = isOther ? `it sends on to ${originOf(to, url)}` : answer;
      throw errorOf(method, key, response.status, why);
    }
    const told = response.headers.get("x-amz-checksum-sha256");
    if (method === "PUT" && sum !== undefined && told !== null && told !== sum.base64) {
      await response.body?.cancel();
      throw new S3Error(
        `S3 has other bytes of ${key} than were sent`,
        response.status,
        "BadDigest",
      );
    }
    // The connection can be used again only once the answer is read.
    if (method === "PUT" || method === "HEAD" || method === "DELETE") await response.body?.cancel();
    return response;
  }

  /** The time by the clock of S3, in the form in which it is signed. */
  #time(): string {
    const date = new Date(this.#options.date() + this.#aheadMs);
    return date.toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
  }

  /**
   * Whether an answer tells another time than that by which its request was signed. Machines without a
   * battery for their clock begin in the past, and S3 refuses all that is signed then.
   */
  #isSkewed({ headers }: Response): boolean {
    const aheadMs = Date.parse(headers.get("date") ?? "") - this.#options.date();
    if (!(Math.abs(aheadMs - this.#aheadMs) > MAX_SKEW_MS)) return false;
    this.#aheadMs = aheadMs;
    return true;
  }
}

function originOf(location: string, base: string): string {
  return URL.canParse(location, base) ? new URL(location, base).origin : "no address";
}

/** The parts of a request besides method and key. */
export interface Ask {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly sum?: Sum;
  readonly signal: AbortSignal;
  /** Error statuses that are no errors for this request. */
  readonly allowed?: readonly number[];
}

export function errorOf(method: string, key: string, status: number, answer: string): S3Error {
  const code = elementOf(answer, "Code") ?? "";
  const why = elementOf(answer, "Message") ?? answer.slice(0, 200).trim();
  const text = [`S3 answers ${status}`, code, why].filter((part) => part !== "").join(", ");
  return new S3Error(`${text} (${method} ${key || "the bucket"})`, status, code);
}

/** The text of an element in a short XML text. */
export function elementOf(xml: string, name: string): string | undefined {
  const from = xml.indexOf(`<${name}>`);
  const to = xml.indexOf(`</${name}>`, from);
  if (from < 0 || to < 0) return undefined;
  return xml.slice(from + name.length + 2, to).replaceAll("&quot;", '"').replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll(/&#(\d{1,3});/g, (_, code) => String.fromCharCode(Number(code)))
    .replaceAll("&amp;", "&");
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Reads the beginning of an answer, so that a server that sends without end does no harm. */
export async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER) break;
  }
  return text;
}
