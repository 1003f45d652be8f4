/** What came of each archetype: read out of a migrated file, and told by the table of docs/old-sdks.md. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { chunks } from "../../lib/encoding/chunks/chunks.ts";

const TABLE = fileURLToPath(new URL("../../docs/old-sdks.md", import.meta.url));

/** How an archetype is there in today's form: all of its columns have their names, or not; or not at all. */
export type Came = "shown" | "readable" | "not bridged";

/** What today's SDKs say of a recording by themselves. */
const PROPERTIES = /^\/__properties(\/|$)/;

/**
 * Reads a file of which each entity has the name of the archetype that was logged to it.
 *
 * @param path of a file in today's form, or of one that has no such form
 * @returns what came of each archetype, by its name
 */
export async function archetypesIn(path: string): Promise<Map<string, Came>> {
  const { items, error } = new RrdDecoder().push(await readFile(path));
  if (error !== undefined) throw error;
  const found = new Map<string, Came>();
  for (const msg of items) {
    if (msg.kind !== "ArrowMsg" || msg.storeId.kind === "Blueprint") continue;
    const isTable = msg.encoded.header.version.minor < 17;
    for (const { entityPath, components } of chunks(msg)) {
      if (PROPERTIES.test(entityPath)) continue;
      const name = entityPath.slice(1);
      const isReadable = components.some(({ component, archetype }) =>
        component.startsWith("rerun.components.") && !component.endsWith("Indicator") &&
        archetype === undefined
      );
      if (isTable) found.set(name, "not bridged");
      else if (isReadable || !found.has(name)) found.set(name, isReadable ? "readable" : "shown");
    }
  }
  return found;
}

/**
 * Holds what came of archetypes against the documented table.
 *
 * @param found by {@linkcode archetypesIn}
 * @param minor version of the SDK that logged them, such as 17
 * @throws if the table says otherwise
 */
export async function checkTable(found: ReadonlyMap<string, Came>, minor: number): Promise<void> {
  const told = await toldOf(minor);
  const names = new Set([...told.keys(), ...found.keys()]);
  // Components of users are no archetype.
  names.delete("AnyValues");
  const wrong = [...names].filter((name) => (found.get(name) ?? "–") !== told.get(name))
    .map((name) => `${name} is ${found.get(name) ?? "–"}, and ${told.get(name)} in the table`);
  if (wrong.length > 0) throw new Error(`docs/old-sdks.md on SDK 0.${minor}: ${wrong.join("; ")}`);
}

/**
 * What the documented table says.
 *
 * @param minor version of an SDK, such as 17
 * @throws if it says nothing of this version
 */
export async function toldOf(minor: number): Promise<Map<string, string>> {
  const rows = (await readFile(TABLE, "utf8")).split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const column = rows.find(([first]) => first === "Archetype")?.indexOf(`0.${minor}`) ?? -1;
  if (column < 0) throw new Error(`docs/old-sdks.md has no column for SDK 0.${minor}`);
  return new Map(
    rows.filter(([first]) => /^`\w+`$/.test(first!))
      .map((row) => [row[0]!.slice(1, -1), row[column]!] as const),
  );
}
