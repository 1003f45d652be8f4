/**
 * Uploads in parts. One that breaks off goes on behind the parts that were taken, so that long files
 * get over a link that is often cut.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { RerelayError } from "../base/errors.ts";
import { FileUnreadable } from "./_unreadable_now.ts";
import { TargetRefused } from "./target.ts";
import {
  elementOf,
  errorOf,
  escaped,
  type S3Client,
  S3Error,
  sumOf,
  textOf,
} from "./_s3_client.ts";

/** A file that is uploaded in parts. */
export interface PartedFile {
  readonly key: string;
  /** The id of the file. */
  readonly id: string;
  /** Its length, in bytes. */
  readonly bytes: number;
}

/** An upload that is neither completed nor given up. */
interface Begun {
  readonly file: PartedFile;
  /** The query that names it. */
  readonly query: string;
  /** Checksums of the parts that were taken. */
  readonly digests: Uint8Array<ArrayBuffer>[];
  /** These parts as the last request lists them. */
  list: string;
}

/** How many uploads that could not be given up are remembered, to be given up later. */
const MAX_LEFT = 100;
/** How long giving one up may take, in milliseconds; less where the program waits for it to end. */
const GIVE_UP_MS = 10_000;
const LAST_MS = 2000;

/** Uploads files in parts. */
export class S3Parts {
  readonly #s3: Pick<S3Client, "ask">;
  /** Uploads that are under way or broke off, by key. */
  readonly #begun = new Map<string, Begun>();
  /** Uploads that could not be given up, because S3 was not to be reached. */
  readonly #left = new Map<string, string>();

  /** @param s3 sends the requests */
  constructor(s3: Pick<S3Client, "ask">) {
    this.#s3 = s3;
  }

  /**
   * Uploads a file in parts, one after the other, so that one part is in memory; goes on where an
   * earlier call for the same file broke off.
   *
   * @param file which
   * @param parts gives the parts from a number on, all but the last at least 5 MiB, and all as long
   * as at the call before
   * @param signal ends it
   * @returns the checksum that the object must have: made of those of the parts, with their number
   */
  async put(
    file: PartedFile,
    parts: (from: number) => AsyncIterable<Uint8Array<ArrayBuffer>>,
    signal: AbortSignal,
  ): Promise<string> {
    const begun = await this.#begin(file, signal);
    try {
      for await (const bytes of parts(begun.digests.length)) {
        await this.#putPart(begun, bytes, signal);
      }
      await this.#complete(begun, signal);
    } catch (error) {
      if (mayGoOn(error) || signal.aborted) throw error;
      await this.#giveUp(begun);
      throw error;
    }
    this.#begun.delete(file.key);
    return await sumOfParts(begun.digests);
  }

  /**
   * Gives up what broke off, but for one file, and what could not be given up before: parts that are
   * left behind cost money until somebody removes them.
   */
  async giveUpAllBut(file: PartedFile): Promise<void> {
    for (const begun of this.#begun.values()) {
      if (!isSame(begun.file, file)) await this.#giveUp(begun);
    }
    for (const [query, key] of this.#left) if (!await this.#remove(key, query)) break;
  }

  /** Gives up all, because nothing more is sent; takes some seconds at most. */
  async close(): Promise<void> {
    const signal = AbortSignal.timeout(LAST_MS);
    const all = [...this.#left].map(([query, key]) => [key, query] as const);
    for (const { file: { key }, query } of this.#begun.values()) all.push([key, query]);
    this.#begun.clear();
    await Promise.all(all.map(([key, query]) => this.#remove(key, query, signal)));
  }

  async #begin(file: PartedFile, signal: AbortSignal): Promise<Begun> {
    const known = this.#begun.get(file.key);
    if (known !== undefined && isSame(known.file, file)) return known;
    if (known !== undefined) await this.#giveUp(known);
    const answer = await this.#s3.ask("POST", file.key, {
      query: "uploads=",
      headers: {
        "x-amz-meta-rerelay-id": file.id,
        "x-amz-checksum-algorithm": "SHA256",
        "content-type": "application/octet-stream",
      },
      signal,
    });
    const upload = elementOf(await textOf(answer), "UploadId");
    if (upload === undefined) throw new S3Error("S3 began an upload without an id", 200, "");
    const query = `uploadId=${encodeURIComponent(upload)}`;
    const begun: Begun = { file, query, digests: [], list: "" };
    this.#begun.set(file.key, begun);
    return begun;
  }

  async #putPart(
    begun: Begun,
    bytes: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<void> {
    const sum = await sumOf(bytes);
    const number = begun.digests.length + 1;
    const taken = await this.#s3.ask("PUT", begun.file.key, {
      query: `partNumber=${number}&${begun.query}`,
      ...{ bytes, sum, signal },
    });
    const tag = escaped(taken.headers.get("etag") ?? "");
    begun.digests.push(sum.digest);
    begun.list += `<Part><PartNumber>${number}</PartNumber><ETag>${tag}</ETag>` +
      `<ChecksumSHA256>${sum.base64}</ChecksumSHA256></Part>`;
  }

  async #complete({ file: { key }, query, list }: Begun, signal: AbortSignal): Promise<void> {
    const bytes = new TextEncoder().encode(
      `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list}</CompleteMultipartUpload>`,
    );
    const done = await this.#s3.ask("POST", key, {
      ...{ query, bytes, sum: await sumOf(bytes), signal },
    });
    const answer = await textOf(done);
    // S3 may report an error after it has sent status 200.
    if (elementOf(answer, "Error") !== undefined) throw errorOf("POST", key, 200, answer);
    if (/<\/(\w+:)?CompleteMultipartUploadResult\s*>/.test(answer)) return;
    // Whether it is there is looked at first at the next try, for which the parts are still needed.
    throw new RerelayError(`the answer of S3 breaks off (POST ${key})`);
  }

  async #giveUp({ file: { key }, query }: Begun): Promise<void> {
    this.#begun.delete(key);
    if (await this.#remove(key, query) || this.#left.size >= MAX_LEFT) return;
    this.#left.set(query, key);
  }

  async #remove(
    key: string,
    query: string,
    signal: AbortSignal = AbortSignal.timeout(GIVE_UP_MS),
  ): Promise<boolean> {
    try {
      // One that is not there any more was completed, or removed by a rule of the bucket.
      await this.#s3.ask("DELETE", key, { query, signal, allowed: [404] });
    } catch {
      return false;
    }
    this.#left.delete(query);
    return true;
  }
}

/** The checksum of a file in parts: made of those of the parts, with their number. */
export async function sumOfParts(digests: readonly Uint8Array<ArrayBuffer>[]): Promise<string> {
  return `${(await sumOf(concat([...digests]))).base64}-${digests.length}`;
}

function isSame(a: PartedFile, b: PartedFile): boolean {
  return a.key === b.key && a.id === b.id && a.bytes === b.bytes;
}

/** Whether the parts that were taken are of use after an error: if they, and the file, are there. */
function mayGoOn(error: unknown): boolean {
  if (error instanceof FileUnreadable) return true;
  if (error instanceof TargetRefused) return false; // the file can't be read any more
  if (!(error instanceof S3Error)) return true; // S3 can't be reached
  // Keys may be over, or a part come damaged; but an upload that S3 does not know, or does not
  // complete, is of no use.
  const { status, code } = error;
  return status >= 500 || status === 403 || status === 429 || status === 408 ||
    code === "BadDigest";
}
