import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { moduleState } from "./module_state.ts";
import { read, sources } from "./tree.ts";

/**
 * What a module may keep between calls, and why nobody's clients, servers or sinks share it.
 *
 * Two servers in one process, and two clients of one server, must not see each other through it.
 */
const KNOWN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "lib/adapters/files/bun_files.ts": {
    OPEN: "keeps files from being collected; who opened one has it alone",
  },
  "lib/adapters/process/deno_memory.ts": { collect: "V8's own function, looked up once" },
  "lib/adapters/process/open_files.ts": {
    shares: "descriptors are the process's: so many may be open in all",
    sockets: "the same: those of all listeners",
  },
  "lib/adapters/tcp/_v8_pressure.ts": { bytesSince: "the heap is the process's" },
  "lib/encoding/arrow/_flatbuffers.ts": { NAMES: "names in schemas, until readers have their own" },
  "lib/encoding/arrow/arrow_ipc.ts": { TOLD: "what belongs to an object, and goes with it" },
  "lib/encoding/chunks/chunk_trees.ts": { TREES: "schemas that were read, the same, bounded" },
  "lib/encoding/arrow/arrow_check.ts": { KNOWN: "frames that were checked, the same" },
  "lib/encoding/bincode/bincode_log_msg.ts": { writer: "scratch: cleared at each call" },
  "lib/encoding/chunks/chunks.ts": { READER: "schemas that were read, the same" },
  "lib/encoding/lz4/lz4_deflate.ts": { table: "scratch: cleared at each call" },
  "lib/encoding/rrd/recompress.ts": { headers: "goes with the header that it is made of" },
  "lib/memory/buffer_pool.ts": { owners: "tells whose pool a buffer is of; goes with the buffer" },
  "lib/memory/piece_slabs.ts": {
    FIRST_PIECES: "memory without content, of which each piece has one user",
    PIECES: "the same",
  },
};

describe("modules of lib/", () => {
  it("keep nothing between calls that clients, servers or sinks would share", () => {
    const paths = sources("lib/", "mod.ts", "core.ts", "cli.ts");
    assert(paths.length > 200);
    const found = Object.fromEntries(
      paths.map((path) => [path, moduleState(read(path)).toSorted()] as const)
        .filter(([, names]) => names.length > 0),
    );
    const known = Object.fromEntries(
      Object.entries(KNOWN).map(([path, names]) => [path, Object.keys(names).toSorted()]),
    );
    assertEquals(found, known);
  });
});

describe("a module with state", () => {
  for (
    const code of [
      "let found = 0;",
      "export let found: Map<string, number> | undefined;",
      "const found = new Map<string, number>();\nfound.set('a', 1);",
      "const found: string[] = [];\nexport const put = (text: string) => found.push(text);",
      "const found = new Array(8);\nfound[1] = 2;",
      "const found = new Uint32Array(8);\nfunction f() {\n  found.fill(0);\n}",
      "const found: Record<string, number> = {};\nfound[x] ??= 1;",
      "const found = new WeakMap<object, number>();",
      "export const found: Cache = new Cache();",
      "class A {\n  static found = 0;\n}",
      "class A {\n  static #found: number[] = [];\n}",
    ]
  ) {
    it(`is found: ${code.replaceAll("\n", " ")}`, () => assertEquals(moduleState(code), ["found"]));
  }

  for (
    const code of [
      "const NAMES = ['a'];",
      "const NAMES: ReadonlySet<string> = new Set(['a']);",
      "const NOTHING = new Uint8Array(0);",
      "const decoder = new TextDecoder();",
      "const text = `\nlet x = 1;\n`;",
      "/*\nlet x = 1;\n*/",
      "function f() {\n  let x = 1;\n}",
      "const TABLE = { a: 1 };\nif (TABLE[x] === 2) f();",
      "const SIZES = [1];\nconst all = SIZES.map((x) => x);",
      "class A {\n  static readonly #limit = 0;\n  static of() {}\n  static async at() {}\n}",
    ]
  ) {
    it(`is none: ${code.replaceAll("\n", " ")}`, () => assertEquals(moduleState(code), []));
  }
});
