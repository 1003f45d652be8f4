/**
 * Decodes pictures that are not compressed, in whichever way SDKs of any version sent them.
 *
 * @module
 */
import { checkGiven } from "../../base/check_arguments.ts";
import type { Chunk } from "./chunk.ts";
import type { ImageFormatValue } from "./component_types.ts";

/** A picture. */
export interface DecodedImage {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /**
   * What a pixel is: its channels, `L`, `RGB`, `RGBA`, `BGR` or `BGRA`, and the type of each, such
   * as `RGB8` or `L16` for unsigned integers, `L16I` for signed ones, `L32F` for floating point; or
   * a video format, such as `NV12` or `YUY2`.
   */
  readonly format: string;
  /** The pixels row by row, numbers in little endian; a view on the message's own bytes. */
  readonly data: Uint8Array;
}

/** Rerun's pixel formats, by number. */
const PIXEL_FORMATS: Readonly<Record<number, string>> = {
  20: "Y_U_V12_LimitedRange",
  26: "NV12",
  27: "YUY2",
  30: "Y8_FullRange",
  39: "Y_U_V24_LimitedRange",
  40: "Y_U_V24_FullRange",
  41: "Y8_LimitedRange",
  44: "Y_U_V12_FullRange",
  49: "Y_U_V16_LimitedRange",
  50: "Y_U_V16_FullRange",
};
const COLOR_MODELS = [undefined, "L", "RGB", "RGBA", "BGR", "BGRA"];
const DATATYPES: Readonly<Record<number, string>> = {
  ...{ 6: "8", 7: "8I", 8: "16", 9: "16I", 10: "32", 11: "32I", 12: "64", 13: "64I" },
  ...{ 33: "16F", 34: "32F", 35: "64F" },
};

/**
 * The picture in a row of a chunk: an `Image`, a `DepthImage` or a `SegmentationImage` that is not
 * compressed. It must have been logged as such an archetype, since before SDK 0.18 the components
 * alone do not tell that.
 *
 * @param chunk any chunk
 * @param row from 0, which it is by default
 * @returns `undefined` if there is none, it is compressed, or its bytes are too few
 * @throws {RangeError} if there is no such row
 * @throws {InvalidMessage} if the data is damaged
 *
 * @example
 * ```ts
 * import { type Chunk, imageOf } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const size = { width: 1, height: 1, pixel_format: null, color_model: 2, channel_datatype: 6 };
 * const values: Record<string, unknown[]> = {
 *   "rerun.components.ImageBuffer": [Uint8Array.of(255, 0, 0)],
 *   "rerun.components.ImageFormat": [size],
 * };
 * const chunk = { component: (name: string) => ({ at: () => values[name] }) }; // yours: chunk(msg)
 * assertEquals(imageOf(chunk as unknown as Chunk), {
 *   ...{ width: 1, height: 1, format: "RGB8", data: Uint8Array.of(255, 0, 0) },
 * });
 * ```
 */
export function imageOf(chunk: Chunk, row = 0): DecodedImage | undefined {
  const isChunk = typeof chunk?.component === "function";
  checkGiven("imageOf", "a chunk, as chunks(msg) gives", isChunk, chunk);
  const [format] = listAt<ImageFormatValue>(chunk, "rerun.components.ImageFormat", row);
  const [data] = listAt<Uint8Array>(chunk, "rerun.components.ImageBuffer", row);
  return format !== undefined && data instanceof Uint8Array ? ofFormat(format, data) : undefined;
}

function listAt<T>(chunk: Chunk, component: string, row: number): readonly T[] {
  const list = chunk.component(component)?.at(row);
  return Array.isArray(list) ? list : [];
}

function ofFormat(format: ImageFormatValue, data: Uint8Array): DecodedImage | undefined {
  const { width, height, pixel_format, color_model, channel_datatype } = format;
  if (pixel_format !== null) {
    const name = PIXEL_FORMATS[pixel_format];
    return name === undefined ? undefined : { width, height, format: name, data };
  }
  // Depth and class images name no color model: they have one number for each pixel.
  const model = COLOR_MODELS[color_model ?? 1];
  const datatype = DATATYPES[channel_datatype ?? 6];
  if (model === undefined || datatype === undefined) return undefined;
  return whole({ width, height, format: model + datatype, data });
}

/** Gives a picture if all of its bytes are there. */
function whole(picture: DecodedImage): DecodedImage | undefined {
  const [, model, bits] = /^([A-Z]+?)(\d+)/.exec(picture.format)!;
  const bytes = picture.width * picture.height * model!.length * Number(bits) / 8;
  return picture.data.length < bytes ? undefined : picture;
}
