/** Looks at how the files of `lib/` stand to each other. */
import { posix } from "node:path";
import { importsOf, withoutComments } from "./code.ts";

/** Paths from the root, such as `lib/base/log.ts`, and what stands in them. */
export type Files = ReadonlyMap<string, string>;

/** The rooms of `lib/` from top to bottom: none imports one that stands above it. */
export const ROOMS: readonly string[] = [
  ...[
    "cli",
    "viewers",
    "forward",
    "server",
    "nats",
    "sinks",
    "pipeline.ts",
    "recordings",
    "chunk_index",
    "stores",
  ],
  ...["flow", "adapters", "comms", "bridge", "encoding", "memory", "base"],
];

/** What each file imports, of the files that are given; types and `import()` too. */
function arrows(files: Files): Map<string, string[]> {
  return new Map([...files].map(([path, code]) => [
    path,
    importsOf(code).filter((specifier) => specifier.startsWith("."))
      .map((specifier) => posix.join(posix.dirname(path), specifier))
      .filter((target) => files.has(target)),
  ]));
}

/** Each circle of imports, as the files that it goes through; a file that imports itself is one too. */
export function circles(files: Files): string[][] {
  const uses = arrows(files);
  const found: string[][] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const walk = (path: string) => {
    const at = way.indexOf(path);
    if (at >= 0) return void found.push([...way.slice(at), path]);
    if (done.has(path)) return;
    way.push(path);
    for (const target of uses.get(path)!) walk(target);
    way.pop();
    done.add(path);
  };
  for (const path of files.keys()) walk(path);
  return found;
}

/** Imports that point upwards, as `from -> to`. */
export function upwards(files: Files, rooms: readonly string[] = ROOMS): string[] {
  return [...arrows(files)].flatMap(([path, targets]) =>
    targets.filter((target) => floorOf(target, rooms) < floorOf(path, rooms))
      .map((target) => `${path} -> ${target}`)
  );
}

/** Files that are in none of the rooms: at the root of `lib/`, or in a folder that is not known. */
export function homeless(files: Files, rooms: readonly string[] = ROOMS): string[] {
  return [...files.keys()].filter((path) => floorOf(path, rooms) < 0);
}

/** Lines that ask the runtime for the time, or say by themselves what a clock is, as `number: line`. */
export function ownClocks(code: string): string[] {
  const asks = /\b(?:performance\.now|Date\.now|setTimeout|setInterval)\(/;
  const says = /\b(?:now|date)\??: \(\) => number|\b(?:delay|timer|every)\??: \(+ms: number/;
  return withoutComments(code).split("\n").flatMap((line, i) =>
    asks.test(line) || says.test(line) ? [`${i + 1}: ${line.trim()}`] : []
  );
}

/** How far below the top a file is; -1 if its room is not known. */
function floorOf(path: string, rooms: readonly string[]): number {
  return rooms.indexOf(path.split("/")[1]!);
}
