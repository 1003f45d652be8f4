import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** What was uploaded. */
export interface FakeObject {
  readonly bytes: Uint8Array;
  readonly id: string | null;
  readonly checksum: string;
}

const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
const xml = (text: string, status = 200) =>
  new Response(`<?xml version="1.0"?>${text}`, { status });
const failed = (status: number, code: string) =>
  xml(`<Error><Code>${code}</Code><Message>No &lt;way&gt;</Message></Error>`, status);

/** An S3 in memory that compares what comes with what was signed, as real ones do. */
export class FakeS3 {
  readonly objects = new Map<string, FakeObject>();
  /** Methods and keys, with the query. */
  readonly asked: string[] = [];
  /** Uploads that were begun and neither completed nor given up. */
  readonly open = new Map<string, { key: string; id: string | null; parts: Uint8Array[] }>();
  /** Answers instead, where it gives something. */
  instead: (method: string, path: string) => Response | undefined = () => undefined;

  readonly fetch = async (request: Request): Promise<Response> => {
    const { method, headers } = request;
    const url = new URL(request.url);
    const key = decodeURIComponent(url.pathname).split("/").slice(2).join("/");
    const query = url.searchParams;
    this.asked.push(`${method} ${key}${query.size > 0 ? ` ${[...query.keys()].join(" ")}` : ""}`);
    const instead = this.instead(method, `${key}${url.search}`);
    if (instead !== undefined) return instead;
    if (!headers.get("authorization")?.startsWith("AWS4-HMAC-SHA256 Credential=me/")) {
      return failed(403, "AccessDenied");
    }
    const bytes = new Uint8Array(await request.arrayBuffer());
    const sum = sha(bytes);
    const signed = headers.get("x-amz-content-sha256");
    if (bytes.length > 0 && signed !== sum.toString("hex")) return failed(400, "BadDigest");
    const upload = query.get("uploadId");
    if (method === "HEAD") return this.#head(key);
    if (method === "GET" && query.has("list-type")) return xml("<ListBucketResult/>");
    if (method === "POST" && upload === null) {
      const name = `upload ${this.asked.length}&`;
      this.open.set(name, { key, id: headers.get("x-amz-meta-rerelay-id"), parts: [] });
      return xml(`<R><UploadId>${name.replace("&", "&amp;")}</UploadId></R>`);
    }
    if (method === "PUT" && upload !== null) {
      if (!this.open.has(upload)) return failed(404, "NoSuchUpload");
      this.open.get(upload)!.parts.push(bytes);
      return new Response(null, { headers: { etag: `"${sum.toString("hex").slice(0, 32)}"` } });
    }
    if (method === "DELETE" && upload !== null) {
      this.open.delete(upload);
      return new Response(null, { status: 204 });
    }
    if (method === "POST" && !this.open.has(upload!)) return failed(404, "NoSuchUpload");
    if (method === "POST" && upload !== null) return this.complete(upload);
    const checksum = sum.toString("base64");
    this.objects.set(key, { bytes, id: headers.get("x-amz-meta-rerelay-id"), checksum });
    return new Response(null, { headers: { "x-amz-checksum-sha256": checksum } });
  };

  #head(key: string): Response {
    const object = this.objects.get(key);
    if (object === undefined) return new Response(null, { status: 404 });
    return new Response(null, {
      headers: {
        "content-length": `${object.bytes.length}`,
        "x-amz-checksum-sha256": object.checksum,
        ...(object.id !== null && { "x-amz-meta-rerelay-id": object.id }),
      },
    });
  }

  /** Puts the parts of an upload together. */
  complete(upload: string): Response {
    const { key, id, parts } = this.open.get(upload)!;
    this.open.delete(upload);
    const sums = sha(Buffer.concat(parts.map(sha)));
    const checksum = `${sums.toString("base64")}-${parts.length}`;
    this.objects.set(key, { bytes: Buffer.concat(parts), id, checksum });
    return xml("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>");
  }
}
