/**
 * Turns columns with an old layout into columns of today's, by describing the same buffers in a new
 * way.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { type ArrowArray, T } from "../arrow/batch_arrays.ts";
import type { SchemaField } from "../arrow/schema_tree.ts";

/** A column that is made of another one. */
export interface RecastColumn {
  /** Its name in the schema: the component. */
  readonly component: string;
  /** Its field of the archetype, if that has changed. */
  readonly field?: string;
  /** Its type. */
  readonly type: SchemaField;
}

/** A way to describe columns of a component in today's layout. */
export interface Recast {
  /**
   * The types of the columns that one column becomes.
   *
   * @param column of the schema
   * @param field of the archetype that it is
   * @returns `undefined` if it does not have the expected type
   */
  types(column: SchemaField, field: string): readonly RecastColumn[] | undefined;
  /**
   * The arrays of these columns.
   *
   * @param column its lists, one a row
   * @param types as `types` gave them
   * @throws {InvalidMessage} if what is in it can't be described so
   */
  arrays(column: ArrowArray, types: readonly SchemaField[]): readonly ArrowArray[];
}

const IMAGE = "rerun.components.Image";

/**
 * Numbers of today's `ChannelDatatype`, and the bytes of a value, by the names of tensors'
 * variants.
 */
const CHANNELS: Readonly<Record<string, readonly [number, number]>> = {
  U8: [6, 1],
  I8: [7, 1],
  U16: [8, 2],
  I16: [9, 2],
  U32: [10, 4],
  I32: [11, 4],
  U64: [12, 8],
  I64: [13, 8],
  F16: [33, 2],
  F32: [34, 4],
  F64: [35, 8],
};
/** Numbers of today's `ColorModel`, by the number of channels. */
const COLOR_MODELS: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 3 };

const U8 = field("item", T.INT, [8, false]);
const U32 = [32, false] as const;
const BUFFER = list(IMAGE + "Buffer", list("item", U8, true), true);
const FORMAT = list(
  IMAGE + "Format",
  {
    ...field("item", T.STRUCT, [], true),
    children: [
      field("width", T.INT, U32),
      field("height", T.INT, U32),
      field("pixel_format", T.INT, [8, false], true),
      field("color_model", T.INT, [8, false], true),
      field("channel_datatype", T.INT, [8, false], true),
    ],
  },
  true,
);

/** Images of SDK 0.17 were tensors: today they have a buffer, and a format that says how to read it. */
export const IMAGE_OF_TENSOR: Recast = {
  types: imageTypes,
  arrays: (column, types) => imageArrays(column, types, true),
};

/** Recasts a tensor into the plane of an image whose values are not colors. */
export const PLANE_OF_TENSOR: Recast = {
  types: imageTypes,
  arrays: (column, types) => imageArrays(column, types, false),
};

function imageTypes(column: SchemaField, field: string): readonly RecastColumn[] | undefined {
  if (!isTensor(column)) return undefined;
  const before = field === "data" ? "" : `${field}_`;
  return [
    { component: IMAGE + "Buffer", field: `${before}buffer`, type: BUFFER },
    { component: IMAGE + "Format", field: `${before}format`, type: FORMAT },
  ];
}

function imageArrays(
  column: ArrowArray,
  [buffers, formats]: readonly SchemaField[],
  hasColors: boolean,
): readonly ArrowArray[] {
  const tensor = column.children[0]!;
  const [shape, data] = withoutNulls(tensor).children as [ArrowArray, ArrowArray];
  if (shape.length !== tensor.length || data.length !== tensor.length) fail("a damaged tensor");
  const { variant, values, offsets } = oneVariant(data);
  const [datatype, bytes] = CHANNELS[variant] ?? fail(`an image of ${variant}`);
  const sizes = shapesOf(shape);
  const starts = Int32Array.from(offsets, (offset) => offset * bytes);
  const described = sizes.map((size, i) => {
    const [height = 0, width = 0, channels = 1, ...rest] = size;
    const model = COLOR_MODELS[channels];
    const isWhole = height * width * channels * bytes === starts[i + 1]! - starts[i]!;
    const isFitting = model !== undefined && (hasColors || channels === 1);
    if (size.length < 2 || rest.length > 0 || !isFitting || !isWhole) {
      fail(`an image of the shape ${size}`);
    }
    return { width, height, model };
  });
  const buffer: ArrowArray = {
    field: buffers!.children[0]!,
    length: tensor.length,
    nulls: 0,
    buffers: [NOTHING, bytesOf(starts)],
    children: [{
      field: U8,
      length: values.buffers[1]!.length,
      nulls: 0,
      buffers: [NOTHING, values.buffers[1]!],
      children: [],
    }],
  };
  const struct = formats!.children[0]!;
  const numbers = (i: number, buffer: Uint8Array | undefined): ArrowArray => ({
    field: struct.children[i]!,
    length: tensor.length,
    nulls: buffer === undefined ? tensor.length : 0,
    buffers: buffer === undefined
      ? [new Uint8Array(Math.ceil(tensor.length / 8)), new Uint8Array(tensor.length)]
      : [NOTHING, buffer],
    children: [],
  });
  const format: ArrowArray = {
    field: struct,
    length: tensor.length,
    nulls: 0,
    buffers: [NOTHING],
    children: [
      numbers(0, bytesOf(Uint32Array.from(described, ({ width }) => width))),
      numbers(1, bytesOf(Uint32Array.from(described, ({ height }) => height))),
      numbers(2, undefined),
      numbers(3, hasColors ? Uint8Array.from(described, ({ model }) => model) : undefined),
      numbers(4, new Uint8Array(tensor.length).fill(datatype)),
    ],
  };
  return [
    { ...column, field: buffers!, children: [buffer] },
    { ...column, field: formats!, children: [format] },
  ];
}

/**
 * Tensors up to 0.21 had a name with each dimension; today the names are a list beside the sizes.
 */
export const TENSOR: Recast = {
  types(column) {
    if (!isTensor(column)) return undefined;
    const [item] = column.children;
    const [shape, data] = item!.children;
    const [size, name] = shape!.children[0]!.children;
    const variants = data!.children.filter(({ name }) => name in CHANNELS || name[0] === "_");
    const numbers = variants.map((_, i) => i);
    const type = {
      ...column,
      children: [{
        ...item!,
        children: [
          { ...shape!, children: [{ ...size!, name: "item" }] },
          { ...shape!, name: "names", nullable: true, children: [textType(name!)] },
          // Exactly today's type: viewers draw nothing if it differs, even if only in what may be
          // null.
          { ...data!, nullable: true, parameters: [1, numbers], children: variants },
        ],
      }],
    };
    return [{ component: column.name, type }];
  },
  arrays(column, [type]) {
    const tensor = withoutNulls(column.children[0]!);
    const [shape, data] = tensor.children as [ArrowArray, ArrowArray];
    const item = type!.children[0]!;
    const [sizeType, nameType, dataType] = item.children as [SchemaField, SchemaField, SchemaField];
    // The last variants do not exist any more today.
    const [types] = data.buffers;
    const count = dataType.children.length;
    if (types!.subarray(0, data.length).some((id) => id >= count)) fail("a tensor of a picture");
    const [size, name] = withoutNulls(shape.children[0]!).children as [ArrowArray, ArrowArray];
    if (4 * (shape.length + 1) > shape.buffers[1]!.length) fail("a damaged shape");
    const hasNames = name.length > 0 && name.nulls < name.length;
    const names: ArrowArray = hasNames
      ? {
        ...shape,
        field: nameType,
        // A missing name is an empty text.
        children: [{ ...name, nulls: 0, buffers: [NOTHING, ...name.buffers.slice(1)] }],
      }
      : {
        field: nameType,
        length: shape.length,
        nulls: shape.length,
        buffers: [
          new Uint8Array(Math.ceil(shape.length / 8)),
          new Uint8Array(4 * (shape.length + 1)),
        ],
        children: [{ ...name, length: 0, nulls: 0, buffers: [NOTHING, NO_OFFSETS, NOTHING] }],
      };
    const children = [
      { ...shape, field: sizeType, children: [size] },
      names,
      { ...data, field: dataType, children: data.children.slice(0, count) },
    ];
    return [{ ...column, field: type!, children: [{ ...tensor, field: item, children }] }];
  },
};

/** Enumerations of SDK 0.17 were unions of empty types, whose type numbers are today's values. */
export const ENUMERATION: Recast = {
  types(column) {
    const [item] = column.children;
    const isKnown = column.type === T.LIST && item?.type === T.UNION && item.parameters[0] === 0 &&
      item.children.every(({ type }) => type === T.NULL) &&
      Array.isArray(item.parameters[1]) && item.parameters[1].every((id, i) => id === i);
    if (!isKnown) return undefined;
    const type = { ...column, children: [field("item", T.INT, [8, false], true)] };
    return [{ component: column.name, type }];
  },
  arrays(column, [type]) {
    const { length, buffers: [numbers] } = column.children[0]!;
    if (numbers!.length < length || numbers!.subarray(0, length).includes(0)) fail("a null");
    const buffers = [NOTHING, numbers!.subarray(0, length)];
    const values = { field: type!.children[0]!, length, nulls: 0, buffers, children: [] };
    return [{ ...column, field: type!, children: [values] }];
  },
};

const NOTHING = new Uint8Array();
const NO_OFFSETS = new Uint8Array(4);

function field(
  name: string,
  type: number,
  parameters: SchemaField["parameters"],
  nullable = false,
): SchemaField {
  return { name, nullable, type, parameters, dictionary: undefined, children: [], tags: [] };
}

function list(name: string, item: SchemaField, nullable = false): SchemaField {
  return { ...field(name, T.LIST, [], nullable), children: [item] };
}

function textType(name: SchemaField): SchemaField {
  return { ...name, name: "item", nullable: false };
}

/** Whether a column has tensors of SDK 0.21 and before. */
function isTensor({ type, children: [item] }: SchemaField): boolean {
  const [shape, data] = item?.children ?? [];
  const [size, name] = shape?.children[0]?.children ?? [];
  return type === T.LIST && item?.type === T.STRUCT && item.children.length === 2 &&
    shape?.type === T.LIST && shape.children[0]?.type === T.STRUCT &&
    size?.type === T.INT && name?.type === T.UTF8 &&
    data?.type === T.UNION && data.parameters[0] === 1 &&
    data.children.every(({ name, type, children: [values] }) =>
      name[0] === "_" ? type === T.NULL : type === T.LIST && values?.children.length === 0
    );
}

function fail(what: string): never {
  throw new InvalidMessage(`Rerun of today has no form for ${what}`);
}

/** Leaves out bitmaps if nothing is null. */
function withoutNulls(array: ArrowArray): ArrowArray {
  if (array.nulls > 0) fail("a null");
  const [bitmap, ...others] = array.buffers;
  return bitmap === undefined ? array : { ...array, buffers: [NOTHING, ...others] };
}

/** The values of a dense union that are all of one variant, one after another. */
function oneVariant({ field, length, buffers, children }: ArrowArray): {
  readonly variant: string;
  readonly values: ArrowArray;
  readonly offsets: Int32Array;
} {
  const [types, places] = buffers;
  const id = types![0] ?? fail("an empty column");
  const at = (field.parameters[1] as readonly number[]).indexOf(id);
  const lists = children[at] ?? fail("an unknown kind");
  if (lists.children.length === 0) fail("a null");
  const [first] = numbersOf(places!, 1);
  const offsets = numbersOf(lists.buffers[1]!, first! + length + 1).subarray(first);
  const isInOrder = numbersOf(places!, length).every((place, i) => place === first! + i) &&
    types!.length >= length && types!.subarray(0, length).every((each) => each === id);
  if (!isInOrder || lists.nulls > 0) fail("data of several kinds");
  return { variant: field.children[at]!.name, values: lists.children[0]!, offsets };
}

/** The sizes of all dimensions of each tensor. */
function shapesOf(shape: ArrowArray): number[][] {
  const [size] = withoutNulls(shape.children[0]!).children;
  const sizes = size!.buffers[1]!;
  const offsets = numbersOf(shape.buffers[1]!, shape.length + 1);
  const view = new DataView(sizes.buffer, sizes.byteOffset, sizes.length);
  return Array.from({ length: shape.length }, (_, i) => {
    const [from, to] = [offsets[i]!, offsets[i + 1]!];
    if (from < 0 || to < from || 8 * to > sizes.length || to - from > MAX_DIMENSIONS) {
      fail("a damaged shape");
    }
    return Array.from(
      { length: to - from },
      (_, k) => Number(view.getBigUint64(8 * (from + k), true)),
    );
  });
}

const MAX_DIMENSIONS = 16;

function numbersOf(buffer: Uint8Array, count: number): Int32Array {
  if (4 * count > buffer.length) fail("a buffer that is too short");
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  return Int32Array.from({ length: count }, (_, i) => view.getInt32(4 * i, true));
}

function bytesOf({ buffer }: Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer);
}
