/**
 * The header fields of each message in NATS. They tell readers which messages of which file it
 * holds, and the sender where it left off.
 *
 * @module
 */

/** Names of the header fields. */
export const FIELD = {
  /** The random id of a box, kept beside its recordings. */
  box: "Rerelay-Box",
  /** A random id for each start of the program on the box. */
  run: "Rerelay-Run",
  /** The id of the file that the messages come from. */
  file: "Rerelay-File",
  /** The numbers of the messages in that file, such as `4-9,12`. */
  numbers: "Rerelay-Numbers",
  /** For how long the oldest of them had waited on the box when it was sent, in milliseconds. */
  waited: "Rerelay-Waited",
  /** Which part of a large message this is, from 0 on, and of how many: `0/3`. */
  part: "Rerelay-Part",
  /** Length of that message with its RRD header, in bytes. */
  bytes: "Rerelay-Bytes",
} as const;

/** A part of a message that is too large for one publish. */
export interface PartPlace {
  /** From 0 on. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
  /** Length of all of them, in bytes. */
  readonly bytes: number;
}

/** The content of a message's header. */
export interface BatchHeaders {
  readonly box: string;
  readonly run: string;
  readonly file: string;
  /** The numbers of the messages in their file, in growing order. */
  readonly numbers: readonly number[];
  /** For how long the oldest of them had waited on the box when it was sent, in milliseconds. */
  readonly waitedMs?: number;
  /** Absent where the messages are whole. */
  readonly part?: PartPlace;
}

/** Most messages in one publish, since their numbers must fit into its header. */
export const MAX_MESSAGES = 512;

/** How much of a server's limit for messages is reserved for header fields, in bytes. */
export const HEADER_ROOM_BYTES: number = 2048 + MAX_MESSAGES * 12;

const ID = /^[\w.:-]{1,128}$/;

/** Whether a text may be used as the id of a box, of a start of the program, or of a file. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** Growing numbers as text, with runs as `first-last`. */
export function numbersText(numbers: readonly number[]): string {
  const ranges: string[] = [];
  for (let at = 0; at < numbers.length;) {
    const first = at;
    while (numbers[at + 1] === numbers[at]! + 1) at++;
    ranges.push(first === at ? `${numbers[at]}` : `${numbers[first]}-${numbers[at]}`);
    at++;
  }
  return ranges.join(",");
}

/**
 * Reads such a text; `undefined` if it is no list of growing numbers, or longer than any that is
 * sent.
 */
export function parseNumbers(text: string): number[] | undefined {
  const numbers: number[] = [];
  for (const range of text.split(",")) {
    const [, from, to = from] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(range) ?? [];
    if (from === undefined) return undefined;
    const [first, last] = [Number(from), Number(to)];
    const before = numbers.at(-1) ?? -1;
    if (first <= before || last < first) return undefined;
    if (numbers.length + last - first >= MAX_MESSAGES) return undefined;
    for (let number = first; number <= last; number++) numbers.push(number);
  }
  return numbers;
}

/** The header fields in their order. */
export function headerFields(headers: BatchHeaders): [string, string][] {
  const fields: [string, string][] = [
    [FIELD.box, headers.box],
    [FIELD.run, headers.run],
    [FIELD.file, headers.file],
    [FIELD.numbers, numbersText(headers.numbers)],
  ];
  if (headers.waitedMs !== undefined) fields.push([FIELD.waited, `${headers.waitedMs}`]);
  if (headers.part !== undefined) {
    const { index, count, bytes } = headers.part;
    fields.push([FIELD.part, `${index}/${count}`], [FIELD.bytes, `${bytes}`]);
  }
  return fields;
}

/**
 * Reads header fields.
 *
 * @param get gives the value of a field, or an empty text
 * @returns `undefined` if Rerelay did not write them
 */
export function readHeaders(get: (name: string) => string): BatchHeaders | undefined {
  const [box, run, file] = [get(FIELD.box), get(FIELD.run), get(FIELD.file)];
  const numbers = parseNumbers(get(FIELD.numbers));
  if (numbers === undefined || ![box, run, file].every(isId)) return undefined;
  const waited = get(FIELD.waited);
  const known = { box, run, file, numbers };
  const read = /^\d{1,12}$/.test(waited) ? { ...known, waitedMs: Number(waited) } : known;
  const place = get(FIELD.part);
  if (place === "") return read;
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(place) ?? [];
  const bytes = get(FIELD.bytes);
  if (count === undefined || !/^\d{1,10}$/.test(bytes) || numbers.length !== 1) return undefined;
  const part = { index: Number(index), count: Number(count), bytes: Number(bytes) };
  const isPlace = part.index < part.count && part.count <= Math.max(1, part.bytes);
  return isPlace ? { ...read, part } : undefined;
}
