/**
 * The few requests of S3 that an upload needs. Both ends compare checksums.
 *
 * @module
 */
import { concat } from "@std/bytes";
import type { AwsClient } from "aws4fetch";
import { encodeBase64 } from "@std/encoding";
import { RerelayError } from "../base/errors.ts";

/** How long a request may take beside the time for its body, in milliseconds. */
const REQUEST_MS = 60_000;
/** The speed at which a body must go, in bytes per millisecond. */
const MIN_BYTES_PER_MS = 16;
/** No more of an answer is read, in characters: valid ones are short. */
const MAX_ANSWER = 64 * 1024;

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
}

/** SHA-256 of bytes as S3 writes it: base64 for its checksums, hex for the signature. */
interface Sum {
  readonly digest: Uint8Array<ArrayBuffer>;
  readonly base64: string;
  readonly hex: string;
}

async function sumOf(bytes: Uint8Array<ArrayBuffer>): Promise<Sum> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { digest, base64: encodeBase64(digest), hex: hexOf(digest) };
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Sends requests about one bucket. */
export class S3Client {
  readonly #options: S3ClientOptions;

  constructor(options: S3ClientOptions) {
    this.#options = options;
  }

  /** Asks for the object under a key; `undefined` if there is none. */
  async head(key: string, signal: AbortSignal): Promise<S3Object | undefined> {
    const headers = { "x-amz-checksum-mode": "ENABLED" };
    const response = await this.#ask("HEAD", key, { headers, signal, allowed: [404] });
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
    await this.#ask("PUT", key, {
      headers: { "x-amz-meta-rerelay-id": id, "content-type": "application/octet-stream" },
      ...{ bytes, sum, signal },
    });
    return sum.base64;
  }

  /**
   * Uploads a long file in parts, one after the other, so that one part is in memory.
   *
   * @param parts the parts with their lengths, all but the last at least 5 MiB
   * @returns the checksum that the object must have: made of those of the parts, with their number
   */
  async putParts(
    key: string,
    parts: AsyncIterable<Uint8Array<ArrayBuffer>>,
    id: string,
    signal: AbortSignal,
  ): Promise<string> {
    const began = await this.#ask("POST", key, {
      query: "uploads=",
      headers: {
        "x-amz-meta-rerelay-id": id,
        "x-amz-checksum-algorithm": "SHA256",
        "content-type": "application/octet-stream",
      },
      signal,
    });
    const upload = elementOf(await textOf(began), "UploadId");
    if (upload === undefined) throw new S3Error("S3 began an upload without an id", 200, "");
    const query = `uploadId=${encodeURIComponent(upload)}`;
    try {
      const sums: Sum[] = [];
      let list = "";
      for await (const bytes of parts) {
        const sum = await sumOf(bytes);
        sums.push(sum);
        const number = sums.length;
        const taken = await this.#ask("PUT", key, {
          query: `partNumber=${number}&${query}`,
          ...{ bytes, sum, signal },
        });
        const tag = escaped(taken.headers.get("etag") ?? "");
        list += `<Part><PartNumber>${number}</PartNumber><ETag>${tag}</ETag>` +
          `<ChecksumSHA256>${sum.base64}</ChecksumSHA256></Part>`;
      }
      const xml = new TextEncoder().encode(
        `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list}</CompleteMultipartUpload>`,
      );
      const done = await this.#ask("POST", key, {
        query,
        bytes: xml,
        sum: await sumOf(xml),
        signal,
      });
      const answer = await textOf(done);
      // S3 may report an error after it has sent status 200.
      if (elementOf(answer, "Error") !== undefined) throw errorOf("POST", key, 200, answer);
      const all = await sumOf(concat(sums.map(({ digest }) => digest)));
      return `${all.base64}-${sums.length}`;
    } catch (error) {
      // Parts that are left behind cost money until somebody removes them.
      await this.#ask("DELETE", key, { query, signal: AbortSignal.timeout(REQUEST_MS) })
        .catch(() => {});
      throw error;
    }
  }

  async #ask(method: string, key: string, options: Ask): Promise<Response> {
    const { query, headers, bytes, sum, signal, allowed = [] } = options;
    const path = key.split("/").map(encodeURIComponent).join("/");
    const url = `${this.#options.base}${path}${query === undefined ? "" : `?${query}`}`;
    const ms = REQUEST_MS + (bytes?.length ?? 0) / MIN_BYTES_PER_MS;
    const request = await this.#options.aws.sign(url, {
      method,
      headers: {
        ...headers,
        // With these the server checks that it received what was sent.
        ...(sum && { "x-amz-content-sha256": sum.hex }),
        ...(sum && method === "PUT" && { "x-amz-checksum-sha256": sum.base64 }),
      },
      ...(bytes && { body: bytes }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ms)]),
    });
    const response = await this.#options.fetch(request);
    if (!response.ok && !allowed.includes(response.status)) {
      throw errorOf(method, key, response.status, await textOf(response));
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
}

/** The parts of a request besides method and key. */
interface Ask {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly sum?: Sum;
  readonly signal: AbortSignal;
  /** Error statuses that are no errors for this request. */
  readonly allowed?: readonly number[];
}

function errorOf(method: string, key: string, status: number, answer: string): S3Error {
  const code = elementOf(answer, "Code") ?? "";
  const why = elementOf(answer, "Message") ?? answer.slice(0, 200).trim();
  const text = [`S3 answers ${status}`, code, why].filter((part) => part !== "").join(", ");
  return new S3Error(`${text} (${method} ${key})`, status, code);
}

/** The text of an element in a short XML text. */
function elementOf(xml: string, name: string): string | undefined {
  const from = xml.indexOf(`<${name}>`);
  const to = xml.indexOf(`</${name}>`, from);
  if (from < 0 || to < 0) return undefined;
  return xml.slice(from + name.length + 2, to).replaceAll("&quot;", '"').replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Reads the beginning of an answer, so that a server that sends without end does no harm. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER) break;
  }
  return text;
}
