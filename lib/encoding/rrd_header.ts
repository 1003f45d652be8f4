/**
 * The 12 bytes every RRD stream begins with.
 *
 * @module
 */
import { checkBytes, checkGiven } from "../base/check_arguments.ts";
import { NotAnRrd, OldRrdVersion, UnknownRrdOptions } from "../base/errors.ts";

/** A Rerun version as RRD headers hold it. */
export interface RrdVersion {
  /** Always 0 so far. */
  readonly major: number;
  /** Number of the release. */
  readonly minor: number;
  /** Number of the bug fix of a release. */
  readonly patch: number;
  /** 0 for a release; top two bits 01 rc, 10 alpha, 11 alpha of a development build; low six bits its number. */
  readonly meta: number;
}

/** A decoded RRD header. */
export interface RrdHeader {
  /** Version of the SDK, or of the program that saved the file. */
  readonly version: RrdVersion;
  /** Compression of each message (msgpack), or of the Arrow data inside (protobuf). */
  readonly compression: "off" | "lz4";
  /** How the messages are serialized. */
  readonly serializer: "msgpack" | "protobuf";
  /** The 12 bytes as they came. */
  readonly bytes: Uint8Array;
}

/** Length of an RRD header in bytes. */
export const RRD_HEADER_BYTES: number = 12;

const COMPRESSIONS = ["off", "lz4"] as const;
const SERIALIZERS = [undefined, "msgpack", "protobuf"] as const;

/**
 * Whether an RRD stream begins here, by the whole magic alone.
 *
 * @param bytes data of at least `at + 4` bytes
 * @param at where to look, in bytes
 */
export function isRrdMagic(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x52 && bytes[at + 1] === 0x52 && bytes[at + 2] === 0x46 &&
    bytes[at + 3] === 0x32;
}

/**
 * Decodes an RRD header.
 *
 * @param bytes at least 12 bytes; the first 12 are the header, and are copied
 * @throws {NotAnRrd} if the magic is another
 * @throws {OldRrdVersion} if the magic is that of Rerun before 0.9
 * @throws {UnknownRrdOptions} if compression, serializer or reserved bytes are none that Rerun writes
 *
 * @example
 * ```ts
 * import { decodeRrdHeader } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const header = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0));
 * assertEquals(header.version, { major: 0, minor: 22, patch: 1, meta: 0 });
 * assertEquals([header.compression, header.serializer], ["off", "msgpack"]);
 * ```
 */
export function decodeRrdHeader(bytes: Uint8Array): RrdHeader {
  checkBytes("decodeRrdHeader", bytes);
  if (!isRrdMagic(bytes, 0)) {
    const magic = String.fromCharCode(...bytes.subarray(0, 4));
    throw magic === "RRF0" || magic === "RRF1" ? new OldRrdVersion(magic) : new NotAnRrd();
  }
  const compression = COMPRESSIONS[bytes[8]!];
  if (compression === undefined) throw new UnknownRrdOptions(`Unknown compression: ${bytes[8]}`);
  const serializer = SERIALIZERS[bytes[9]!];
  if (serializer === undefined) throw new UnknownRrdOptions(`Unknown serializer: ${bytes[9]}`);
  if (bytes[10] !== 0 || bytes[11] !== 0) throw new UnknownRrdOptions("Reserved bytes not zero");
  const version = { major: bytes[4]!, minor: bytes[5]!, patch: bytes[6]!, meta: bytes[7]! };
  return { version, compression, serializer, bytes: bytes.slice(0, RRD_HEADER_BYTES) };
}

/**
 * A version as Rerun writes it, such as `0.22.1`, `0.23.0-rc.2` or `0.24.0-alpha.1+dev`.
 *
 * All zero is shown as 0.2.0, the first version that wrote none.
 *
 * @param version as in an RRD header
 *
 * @example
 * ```ts
 * import { rrdVersionText } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rrdVersionText({ major: 0, minor: 23, patch: 0, meta: 0x42 }), "0.23.0-rc.2");
 * ```
 */
export function rrdVersionText(version: RrdVersion): string {
  checkVersion("rrdVersionText", version);
  const { major, minor, patch, meta } = version;
  if (major === 0 && minor === 0 && patch === 0 && meta === 0) return "0.2.0";
  const number = meta & 0x3f;
  const suffix = [
    number ? `+${number}` : "",
    `-rc.${number}`,
    `-alpha.${number}`,
    `-alpha.${number}+dev`,
  ];
  return `${major}.${minor}.${patch}${suffix[meta >> 6]}`;
}

/**
 * Compares versions; a release comes after its candidates.
 *
 * @returns below 0, 0 or above, as a compare function
 *
 * @example
 * ```ts
 * import { compareVersions } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const release = { major: 0, minor: 22, patch: 1, meta: 0 };
 * const candidate = { ...release, meta: 0x41 };
 * assertEquals([release, candidate].sort(compareVersions), [candidate, release]);
 * ```
 */
export function compareVersions(a: RrdVersion, b: RrdVersion): number {
  checkVersion("compareVersions", a);
  checkVersion("compareVersions", b);
  const rank = ({ meta }: RrdVersion) =>
    meta === 0 ? 256 : ((meta & 0xc0) === 0x40 ? 128 : 0) + (meta & 63);
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || rank(a) - rank(b);
}

function checkVersion(taker: string, version: RrdVersion): void {
  checkGiven(taker, "the version of a header", typeof version?.minor === "number", version);
}
