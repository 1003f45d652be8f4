/**
 * Describes the services here as protobuf describes itself (`google/protobuf/descriptor.proto`).
 *
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { PROTO_FILES as FILES, type ProtoFile } from "./proto_files.ts";

/** Numbers of the types in `FieldDescriptorProto`. */
const SCALARS: Readonly<Record<string, number>> = {
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  bool: 8,
  string: 9,
  bytes: 12,
};
const [MESSAGE, ENUM] = [11, 14];
const [OPTIONAL, REPEATED] = [1, 3];

/** Whole names of the services. */
export const SERVICES: readonly string[] = FILES.flatMap((file) =>
  Object.keys(file.services ?? {}).map((name) => `${file.package}.${name}`)
);

/**
 * The file of a name, and those that it imports, as `FileDescriptorProto`s.
 *
 * @param name of the file
 * @returns `undefined` if there is none
 */
export function fileNamed(name: string): Uint8Array[] | undefined {
  const file = FILES.find((file) => file.name === name);
  return file && withImports(file);
}

/**
 * The file that describes something, and those that it imports.
 *
 * @param symbol whole name of a service, method, message, field, enumeration or its value
 * @returns `undefined` if nothing is called so
 */
export function fileOf(symbol: string): Uint8Array[] | undefined {
  const file = FILES.find((file) => {
    const inPackage = `${file.package}.`;
    return symbol.startsWith(inPackage) && defines(file, symbol.slice(inPackage.length));
  });
  return file && withImports(file);
}

function defines(file: ProtoFile, name: string): boolean {
  const [outer = "", inner, ...rest] = name.split(".");
  if (rest.length > 0) return false;
  const { messages, enums = {}, services = {} } = file;
  const names = namesIn(messages, outer, (fields) => fieldsOf(fields).map(({ name }) => name)) ??
    namesIn(enums, outer, () => []) ?? namesIn(services, outer, Object.keys) ??
    (Object.values(enums).some((values) => values.includes(outer)) ? [] : undefined);
  return names !== undefined && (inner === undefined || names.includes(inner));
}

function namesIn<T>(
  all: Readonly<Record<string, T>>,
  name: string,
  names: (value: T) => string[],
): string[] | undefined {
  return Object.hasOwn(all, name) ? names(all[name]!) : undefined;
}

function withImports(file: ProtoFile): Uint8Array[] {
  const imported = FILES.filter(({ name }) => file.imports?.includes(name));
  // Each file comes before those that it imports.
  return [file, ...imported.toReversed()].map(encodeFile);
}

/** One field of a message. */
interface ProtoField {
  readonly label: string | undefined;
  readonly type: string;
  readonly name: string;
  readonly number: number;
  readonly oneof: string | undefined;
}

function fieldsOf(text: string): ProtoField[] {
  let oneof: string | undefined;
  return text.split(/; |(?<=:) /).flatMap((part) => {
    const begun = /^oneof (\w+):$/.exec(part);
    if (begun !== null) oneof = begun[1];
    const match = /^(?:(optional|repeated) )?([\w.]+) (\w+) = (\d+)$/.exec(part);
    if (match === null) return [];
    const [, label, type, name, number] = match;
    // As compilers do it: a field that may be missing is alone in a `oneof` of its name.
    const its = label === "optional" ? `_${name}` : oneof;
    return [{ label, type: type!, name: name!, number: Number(number), oneof: its }];
  });
}

function encodeFile(file: ProtoFile): Uint8Array {
  const { messages, enums = {}, services = {} } = file;
  const into = new BinaryWriter();
  text(into, 1, file.name);
  text(into, 2, file.package);
  for (const name of file.imports ?? []) text(into, 3, name);
  for (const [name, fields] of Object.entries(messages)) {
    nested(into, 4, () => writeMessage(into, name, fieldsOf(fields), file));
  }
  for (const [name, values] of Object.entries(enums)) {
    nested(into, 5, () => {
      text(into, 1, name);
      for (const [number, value] of values.entries()) {
        nested(into, 2, () => {
          text(into, 1, value);
          int(into, 2, number);
        });
      }
    });
  }
  for (const [name, methods] of Object.entries(services)) {
    nested(into, 6, () => {
      text(into, 1, name);
      for (const [method, types] of Object.entries(methods)) {
        nested(into, 2, () => writeMethod(into, method, types, file));
      }
    });
  }
  text(into, 12, "proto3");
  return into.finish();
}

function writeMessage(
  into: BinaryWriter,
  name: string,
  fields: readonly ProtoField[],
  file: ProtoFile,
): void {
  text(into, 1, name);
  // The `oneof`s of fields that may be missing have to come last.
  const own = fields.filter(({ label }) => label !== "optional");
  const oneofs = [...new Set([...own, ...fields].flatMap(({ oneof }) => oneof ?? []))];
  for (const field of fields) {
    nested(into, 2, () => {
      text(into, 1, field.name);
      int(into, 3, field.number);
      int(into, 4, field.label === "repeated" ? REPEATED : OPTIONAL);
      const scalar = SCALARS[field.type];
      const isEnum = Object.hasOwn(enumsOf(field.type, file), field.type.split(".").at(-1)!);
      int(into, 5, scalar ?? (isEnum ? ENUM : MESSAGE));
      if (scalar === undefined) text(into, 6, whole(field.type, file));
      if (field.oneof !== undefined) int(into, 9, oneofs.indexOf(field.oneof));
      text(into, 10, field.name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()));
      if (field.label === "optional") int(into, 17, 1);
    });
  }
  for (const oneof of oneofs) nested(into, 8, () => text(into, 1, oneof));
}

function writeMethod(into: BinaryWriter, name: string, types: string, file: ProtoFile): void {
  const [from = "", to = ""] = types.split(" -> ");
  text(into, 1, name);
  text(into, 2, whole(from.replace("stream ", ""), file));
  text(into, 3, whole(to.replace("stream ", ""), file));
  if (from.startsWith("stream ")) int(into, 5, 1);
  if (to.startsWith("stream ")) int(into, 6, 1);
}

function enumsOf(type: string, file: ProtoFile): Readonly<Record<string, unknown>> {
  const its = FILES.find(({ package: name }) => type.startsWith(`${name}.`)) ?? file;
  return its.enums ?? {};
}

function whole(type: string, file: ProtoFile): string {
  return type.includes(".") ? `.${type}` : `.${file.package}.${type}`;
}

function text(into: BinaryWriter, field: number, value: string): void {
  into.tag(field, WireType.LengthDelimited).string(value);
}

function int(into: BinaryWriter, field: number, value: number): void {
  into.tag(field, WireType.Varint).int32(value);
}

function nested(into: BinaryWriter, field: number, write: () => void): void {
  into.tag(field, WireType.LengthDelimited).fork();
  write();
  into.join();
}
