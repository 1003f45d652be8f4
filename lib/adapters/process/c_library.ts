/**
 * Functions of the C library, for what neither runtime has of its own.
 *
 * @module
 */
import process from "node:process";

/** Types of C, as Deno names them; a `buffer` is the address of its bytes. */
export type CType = "i32" | "u32" | "usize" | "isize" | "buffer";

/** The types of a function's parameters and of its result. */
export interface CSignature {
  readonly parameters: readonly CType[];
  readonly result: CType;
}

/** A function; integers of the size of an address are given as bigint. */
export type CFunction = (...args: (number | bigint | Uint8Array<ArrayBuffer>)[]) => number | bigint;

/** What the library is called: on Linux with glibc, on Linux with musl, on macOS. */
const LIBRARIES = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
  "/usr/lib/libSystem.B.dylib",
];

/** Names of types that differ between Bun and Deno. */
const OF_BUN: Readonly<Partial<Record<CType, string>>> = { buffer: "ptr", isize: "i64" };

/** What is used of `bun:ffi`. */
interface BunForeign {
  dlopen(
    library: string,
    symbols: Record<string, { args: readonly string[]; returns: string }>,
  ): { readonly symbols: Record<string, CFunction> };
}

/**
 * Finds functions of the C library.
 *
 * @param signatures by the functions' names
 * @throws {Error} if there is no such library, or it may not be called (on Deno without `--allow-ffi`)
 */
export function cFunctions<Name extends string>(
  signatures: Readonly<Record<Name, CSignature>>,
): Readonly<Record<Name, CFunction>> {
  const open = opener();
  let problem: unknown;
  for (const library of LIBRARIES) {
    try {
      return open(library, signatures) as Readonly<Record<Name, CFunction>>;
    } catch (error) {
      problem ??= error;
    }
  }
  throw problem;
}

/** Opens a library in the way of this runtime. */
function opener() {
  if ("Bun" in globalThis) {
    const { dlopen } = process.getBuiltinModule("bun:ffi") as unknown as BunForeign;
    const nameOf = (type: CType) => OF_BUN[type] ?? type;
    return (library: string, signatures: Readonly<Record<string, CSignature>>) => {
      const symbols = Object.entries(signatures).map(([name, { parameters, result }]) =>
        [name, { args: parameters.map(nameOf), returns: nameOf(result) }] as const
      );
      return dlopen(library, Object.fromEntries(symbols)).symbols;
    };
  }
  // Asked before, for Deno would stop the program and prompt for a permission that is missing.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new Error("the C library may not be called (--allow-ffi)");
  }
  return (library: string, signatures: Readonly<Record<string, CSignature>>) =>
    Deno.dlopen(library, signatures as Deno.ForeignLibraryInterface).symbols as unknown as Record<
      string,
      CFunction
    >;
}
