/**
 * Makes `lib/encoding/names/archetypes.ts` anew, from the type definitions in a clone of Rerun's repository
 * that has its tags:
 *
 *     deno run -A tests/bridge/make_archetypes.ts PATH_OF_CLONE
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { ARCHETYPE_NAMES, FIELD_NAMES } from "../../lib/encoding/names/renames.ts";

/** The last release of each version whose chunks name components alone. */
const TAGS = { 17: "0.17.0", 18: "0.18.2", 19: "0.19.1", 20: "0.20.3", 21: "0.21.0", 22: "0.22.1" };
const VERSIONS = Object.keys(TAGS).map(Number);
const [FIRST, LAST] = [VERSIONS[0]!, VERSIONS.at(-1)!];
const OUT = new URL("../../lib/encoding/names/archetypes.ts", import.meta.url);

const [clone] = process.argv.slice(2);
if (clone === undefined) throw new Error("give the path of a clone of Rerun's repository");
const git = (...args: string[]) =>
  execFileSync("git", ["-C", clone, ...args], { encoding: "utf8", maxBuffer: 1 << 26 });

/** `archetype` → `field=component` with `!` where it is required → versions that have it. */
const found = new Map<string, Map<string, number[]>>();

/** The version whose form the bridge gives to data. */
const TODAY = "0.23.4";

/** What a \`.fbs\` file defines. */
interface Definition {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly attributes: string;
  readonly fields: { name: string; type: string; attributes: string }[];
}

/** The definitions of a release, by their full names. */
function definitions(tag: string): Map<string, Definition> {
  const paths = git("ls-tree", "-r", "--name-only", tag).split("\n")
    .filter((path) => /definitions\/rerun\/.*\.fbs$/.test(path));
  if (paths.length === 0) throw new Error(`${tag} has no definitions`);
  const all = new Map<string, Definition>();
  for (const path of paths) {
    const text = git("show", `${tag}:${path}`).replace(/\/\/.*$/gm, "");
    const namespace = /^\s*namespace\s+([\w.]+)\s*;/m.exec(text)?.[1] ?? "";
    const found =
      /\b(table|struct|union|enum)\s+(\w+)(?:\s*:\s*(\w+))?\s*(\([^)]*\))?\s*\{([^}]*)\}/g;
    for (const [, kind, name, base, attributes, body] of text.matchAll(found)) {
      const field = /(\w+)\s*:\s*(\[?[\w.]+(?:\s*:\s*\d+)?\]?)\s*(\([^)]*\))?/g;
      const fields = kind === "enum"
        ? [{ name: "", type: base!, attributes: "" }]
        : [...body!.matchAll(field)].map(([, name, type, attributes]) => ({
          name: name!,
          type: type!,
          attributes: attributes ?? "",
        }));
      all.set(`${namespace}.${name}`, {
        ...{ kind: kind!, name: name!, namespace, attributes: attributes ?? "", fields },
      });
    }
  }
  return all;
}

/** Two names of one. */
const NUMBERS: Readonly<Record<string, string>> = {
  ...{ byte: "int8", short: "int16", int: "int32", long: "int64", float: "float32" },
  ...{ ubyte: "uint8", ushort: "uint16", uint: "uint32", ulong: "uint64", double: "float64" },
};

/** How data of a type is laid out. */
function layout(all: Map<string, Definition>, type: string, from: string): string {
  const [, item, count] = /^\[([\w.]+)\s*(?::\s*(\d+))?\]$/.exec(type) ?? [];
  if (item !== undefined) return `[${layout(all, item, from)}${count ? `;${count}` : ""}]`;
  // A name alone is of the same namespace.
  const found = all.get(type) ?? all.get(`${from}.${type}`);
  if (found === undefined) return NUMBERS[type] ?? type;
  const { kind, fields, namespace, attributes } = found;
  const each = fields.map((field) => layout(all, field.type, namespace));
  const isBare = namespace.endsWith("components") || attributes.includes("arrow.transparent");
  if (kind === "enum" || (kind !== "union" && isBare && fields.length === 1)) return each[0]!;
  return `${kind}{${fields.map(({ name }, i) => `${name}:${each[i]}`)}}`;
}

const today = definitions(TODAY);

/** Whether today's data of that field is laid out as it was. */
function isSame(
  all: Map<string, Definition>,
  archetype: string,
  field: string,
  type: string,
): boolean {
  const renamed = ARCHETYPE_NAMES[archetype] ?? archetype;
  const name = FIELD_NAMES[renamed]?.[field] ?? field;
  const now = today.get(renamed)?.fields.find((each) => each.name === name);
  const item = (of: string) => of.replace(/^\[|\]$/g, "");
  return now !== undefined && layout(today, item(now.type), "") === layout(all, item(type), "");
}

for (const [version, tag] of Object.entries(TAGS)) {
  const all = definitions(tag);
  for (const [archetype, { namespace, fields }] of all) {
    if (!/^rerun\.(blueprint\.)?archetypes$/.test(namespace)) continue;
    const known = found.get(archetype) ?? new Map<string, number[]>();
    found.set(archetype, known);
    for (const { name, type, attributes } of fields) {
      const sign = attributes.includes("component_required") ? "!" : "=";
      const other = isSame(all, archetype, name, type) ? "" : "~";
      const field = `${name}${sign}${type.replace(/^\[|\]$/g, "")}${other}`;
      known.set(field, [...known.get(field) ?? [], Number(version)]);
    }
  }
}

/** `@19-` from 0.19 on, `@-17` up to 0.17, nothing where all have it. */
function range(versions: readonly number[]): string {
  const [first, last] = [versions[0]!, versions.at(-1)!];
  if (last - first + 1 !== versions.length) throw new Error(`with a gap: ${versions}`);
  const text = `${first === FIRST ? "" : first}-${last === LAST ? "" : last}`;
  return text === "-" ? "" : `@${text}`;
}

const short = (name: string) =>
  name.replace(/^rerun\.(archetypes|components)\./, "")
    .replace(/^rerun\.blueprint\.(archetypes|components)\./, "blueprint.");

const lines = [...found].sort(([a], [b]) => a < b ? -1 : 1).map(([archetype, fields]) => {
  const texts = [...fields].map(([field, versions]) => {
    const [name, sign, component] = field.split(/([!=])/);
    return `${name}${sign}${short(component!)}${range(versions)}`;
  });
  return `  ${JSON.stringify(`${short(archetype)} ${texts.join(" ")}`)},`;
});

writeFileSync(
  OUT,
  `/**
 * Which field of which archetype a component was in Rerun 0.${FIRST} to 0.${LAST}, whose chunks name components
 * alone.
 *
 * Made from Rerun's type definitions by \`tests/bridge/make_archetypes.ts\`: do not edit.
 *
 * @module
 */

/**
 * One archetype a line, and its fields: \`FIELD=COMPONENT\`, with \`!\` instead of \`=\` where an archetype
 * is none without it, \`~\` behind it where today's data is laid out otherwise or there is none, and
 * the versions that have it so: \`@19-\` from 0.19 on, \`@-17\` up to 0.17.
 *
 * Names stand for those in \`rerun.archetypes\` and \`rerun.components\`, with \`blueprint.\` before them for
 * those in \`rerun.blueprint.archetypes\` and \`rerun.blueprint.components\`.
 */
export const ARCHETYPES: readonly string[] = [
${lines.join("\n")}
];
`,
);
console.log(`${found.size} archetypes`);
