/**
 * Converts values that SDK 0.9 to 0.21 laid out differently from today: tensors, pictures that were
 * tensors, and transforms.
 *
 * @module
 */
import type { ImageFormatValue } from "./component_types.ts";

/** A component of today that is made of an old column. */
export interface OldValue {
  /** Absent where no archetype is known. */
  readonly archetype?: string;
  readonly field?: string;
  readonly component: string;
  /**
   * Converts the values of a row to today's layout.
   *
   * @param sent a value as it was sent, for each instance
   * @returns `undefined` if the row does not have this component
   */
  today(sent: readonly unknown[]): unknown;
}

const TENSOR = "rerun.components.TensorData";
const TRANSFORM = "rerun.components.Transform3D";
const [IMAGE, DEPTH, CLASSES] = ["Image", "DepthImage", "SegmentationImage"].map((name) =>
  `rerun.archetypes.${name}`
);

/** Numbers of today's datatypes, by the old names. */
const DATATYPES: Readonly<Record<string, number>> = {
  ...{ U8: 6, I8: 7, U16: 8, I16: 9, U32: 10, I32: 11, U64: 12, I64: 13 },
  ...{ F16: 33, F32: 34, F64: 35 },
};
const COLOR_MODELS: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 3 };
const PIXEL_FORMATS: Readonly<Record<string, number>> = { NV12: 26, YUY2: 27 };
const [PARENT_FROM_CHILD, CHILD_FROM_PARENT] = [1, 2];

/** Components that SDK 0.9 to 0.16 named in the plural, with the same layout as today. */
export const OLD_COMPONENTS: Readonly<Record<string, string>> = {
  "rerun.components.HalfSizes2D": "rerun.components.HalfSize2D",
  "rerun.components.HalfSizes3D": "rerun.components.HalfSize3D",
};

/**
 * Finds what an old column is today.
 *
 * @param component of the column, as it was sent
 * @param archetype and its field, as they are called today; absent where none is known
 * @param minor minor version of the SDK, 17 for older ones
 * @returns `undefined` if it is laid out as it is today
 */
export function oldValues(
  component: string,
  archetype: { readonly archetype: string; readonly field: string } | undefined,
  minor: number,
): readonly OldValue[] | undefined {
  if (component === TRANSFORM && minor < 18) return TRANSFORMS;
  if (component !== TENSOR || minor >= 22) return undefined;
  const name = archetype?.archetype;
  if (name === IMAGE) return IMAGES;
  if (name === DEPTH || name === CLASSES) return imagesOf(name!, () => null);
  return [{ ...archetype, component, today: (sent) => sent.map((each) => tensor(each)) }];
}

// --------------------------------------------------------------------------------- tensors

/** The parts of a tensor that are looked at; peers may send anything. */
interface Tensor {
  readonly shape?: unknown;
  readonly buffer?: unknown;
}

interface Kind {
  readonly kind: string;
  readonly value: unknown;
}

function tensor(sent: unknown): unknown {
  const dimensions = dimensionsOf(sent);
  if (dimensions === undefined) return sent;
  const names = dimensions.map(({ name }) => typeof name === "string" ? name : null);
  return {
    shape: BigUint64Array.from(dimensions, ({ size }) => size),
    names: names.some((name) => name !== null) ? names : null,
    buffer: (sent as Tensor).buffer,
  };
}

/** The dimensions; `undefined` if it is not an old tensor. */
function dimensionsOf(sent: unknown): readonly { size: bigint; name: unknown }[] | undefined {
  const shape = isObject(sent) ? (sent as Tensor).shape : undefined;
  if (!Array.isArray(shape)) return undefined;
  return shape.every((each) => isObject(each) && typeof each["size"] === "bigint")
    ? shape
    : undefined;
}

// --------------------------------------------------------------------------------- pictures

interface Picture {
  readonly format: ImageFormatValue;
  readonly data: Uint8Array;
}

const IMAGES: readonly OldValue[] = [
  ...imagesOf(IMAGE!, (channels) => COLOR_MODELS[channels]),
  {
    ...{ archetype: "rerun.archetypes.EncodedImage", field: "blob" },
    component: "rerun.components.Blob",
    today: (sent) => some(sent.map(jpegOf)),
  },
  {
    ...{ archetype: "rerun.archetypes.EncodedImage", field: "media_type" },
    component: "rerun.components.MediaType",
    today: (sent) => some(sent.map((each) => jpegOf(each) && "image/jpeg")),
  },
];

function imagesOf(
  archetype: string,
  colorModel: (channels: number) => number | null | undefined,
): readonly OldValue[] {
  const picture = (sent: unknown) => pictureOf(sent, colorModel);
  return [
    {
      ...{ archetype, field: "buffer", component: "rerun.components.ImageBuffer" },
      today: (sent) => some(sent.map((each) => picture(each)?.data)),
    },
    {
      ...{ archetype, field: "format", component: "rerun.components.ImageFormat" },
      today: (sent) => some(sent.map((each) => picture(each)?.format)),
    },
  ];
}

function pictureOf(
  sent: unknown,
  colorModel: (channels: number) => number | null | undefined,
): Picture | undefined {
  const sizes = dimensionsOf(sent)?.map(({ size }) => Number(size));
  const data = bytesOf(sent);
  if (sizes === undefined || data === undefined || sizes.length > 3) return undefined;
  const [rows = NaN, width = NaN, channels = 1] = sizes;
  const { kind } = (sent as { buffer: Kind }).buffer;
  const pixels = PIXEL_FORMATS[kind];
  if (pixels !== undefined) {
    // NV12 has half a row of colors for each row of brightness.
    const height = kind === "NV12" ? rows * 2 / 3 : rows;
    const none = { color_model: null, channel_datatype: null };
    return pictureIf({ width, height, pixel_format: pixels, ...none }, data);
  }
  const [model, datatype] = [colorModel(channels), DATATYPES[kind]];
  if (model === undefined || datatype === undefined) return undefined;
  if (model === null && channels !== 1) return undefined;
  return pictureIf({
    ...{ width, height: rows, pixel_format: null, color_model: model, channel_datatype: datatype },
  }, data);
}

function pictureIf(format: ImageFormatValue, data: Uint8Array): Picture | undefined {
  const isSize = (size: number) => Number.isInteger(size) && size <= 0xffffffff;
  return isSize(format.width) && isSize(format.height) ? { format, data } : undefined;
}

function jpegOf(sent: unknown): Uint8Array | undefined {
  const isJpeg = isObject(sent) && isKind(sent["buffer"]) && sent["buffer"].kind === "JPEG";
  return isJpeg ? bytesOf(sent) : undefined;
}

/** The numbers of a tensor as bytes in little endian. */
function bytesOf(sent: unknown): Uint8Array | undefined {
  const buffer = isObject(sent) ? sent["buffer"] : undefined;
  if (!isKind(buffer) || !ArrayBuffer.isView(buffer.value)) return undefined;
  const { buffer: bytes, byteOffset, byteLength } = buffer.value;
  return new Uint8Array(bytes, byteOffset, byteLength);
}

// --------------------------------------------------------------------------------- transforms

const TRANSFORMS: readonly OldValue[] = [
  part("translation", "Translation3D", ({ translation }) => floats(translation)),
  part("rotation_axis_angle", "RotationAxisAngle", ({ rotation }) => {
    const { axis, angle } = valueOf(rotation, "AxisAngle") ?? {};
    if (!isKind(angle) || typeof angle.value !== "number") return undefined;
    const radians = angle.kind === "Degrees" ? angle.value * Math.PI / 180 : angle.value;
    return [{ axis, angle: radians }];
  }),
  part("quaternion", "RotationQuat", ({ rotation }) => floats(inKind(rotation, "Quaternion"))),
  part("scale", "Scale3D", ({ scale }) => {
    const uniform = inKind(scale, "Uniform");
    return typeof uniform === "number"
      ? Float32Array.of(uniform, uniform, uniform)
      : floats(inKind(scale, "ThreeD"));
  }),
  part("mat3x3", "TransformMat3x3", ({ mat3x3 }) => floats(mat3x3)),
  part("relation", "TransformRelation", ({ from_parent }) => {
    if (typeof from_parent !== "boolean") return undefined;
    return Uint8Array.of(from_parent ? CHILD_FROM_PARENT! : PARENT_FROM_CHILD!);
  }),
];

function part(
  field: string,
  name: string,
  read: (transform: Readonly<Record<string, unknown>>) => unknown,
): OldValue {
  return {
    ...{ archetype: "rerun.archetypes.Transform3D", field, component: `rerun.components.${name}` },
    today: ([sent]) => isKind(sent) && isObject(sent.value) ? read(sent.value) : undefined,
  };
}

function floats(value: unknown): Float32Array | undefined {
  return value instanceof Float32Array ? value : undefined;
}

function inKind(value: unknown, kind: string): unknown {
  return isKind(value) && value.kind === kind ? value.value : undefined;
}

function valueOf(value: unknown, kind: string) {
  const inside = inKind(value, kind);
  return isObject(inside) ? inside : undefined;
}

function isKind(value: unknown): value is Kind {
  return isObject(value) && typeof value["kind"] === "string";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** The values, if all are there. */
function some<T>(values: readonly (T | undefined)[]): readonly T[] | undefined {
  const there = values.filter((value) => value !== undefined);
  return there.length === values.length && there.length > 0 ? there : undefined;
}
