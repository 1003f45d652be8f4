import { hideSecrets } from "./url.ts";

/** Where objects go: a bucket, and the prefix of their names. */
export interface S3Place {
  readonly bucket: string;
  /** Empty, or folders with a slash behind each. */
  readonly prefix: string;
  /** Bucket and prefix as one address, with a slash at its end. */
  readonly name: string;
}

/**
 * Reads an address of S3.
 *
 * @param url such as `s3://BUCKET/PREFIX`
 * @throws {RangeError} if it names no bucket, or its prefix is none
 */
export function parseS3Url(url: string): S3Place {
  const [, bucket, path = ""] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?#]*))?$/.exec(url) ?? [];
  if (bucket === undefined) {
    throw new RangeError(
      "expected s3://BUCKET/PREFIX, and for BUCKET 3 to 63 small letters, digits, dots and dashes, not " +
        JSON.stringify(hideSecrets(url)),
    );
  }
  const folders = path.split("/").filter((part) => part !== "");
  // In a URL these lead elsewhere, out of the bucket even.
  if (folders.some((part) => part === "." || part === "..")) {
    throw new RangeError(`expected a PREFIX without "." and "..", not ${JSON.stringify(path)}`);
  }
  const prefix = folders.map((part) => `${part}/`).join("");
  return { bucket, prefix, name: `s3://${bucket}/${prefix}` };
}
