/**
 * Lets a program that runs in the background write to its terminal.
 *
 * @module
 */
import { constants } from "node:os";
import process from "node:process";
import { mayAsk } from "../may_ask.ts";

/** The C library by its names: of Linux with glibc and with musl, and of macOS. */
const LIBRARIES = ["libc.so.6", `libc.musl-${machine()}.so.1`, "/usr/lib/libSystem.B.dylib"];

/** As the C library names it. */
const SIG_IGN = 1n;

/** `signal` of the C library. */
type SetSignal = (signal: number, action: bigint) => unknown;

/** What is used of `bun:ffi`. */
interface BunForeign {
  dlopen(
    library: string,
    symbols: { signal: { args: readonly string[]; returns: string } },
  ): { readonly symbols: { readonly signal: SetSignal } };
}

/**
 * Has SIGTTOU ignored, so that what is written is written: after `stty tostop` the system stops programs
 * in the background that write to their terminal, and a server that stands still receives nothing.
 *
 * A listener would not do, for the write would go on being refused; so the C library is asked. Where it
 * can't be, on Deno without `--allow-ffi`, all stays as it is.
 */
export function writeFromBackground(): void {
  const { SIGTTOU } = constants.signals;
  if (SIGTTOU === undefined || !mayAsk({ name: "ffi" })) return;
  for (const library of LIBRARIES) {
    try {
      return void setSignal(library)(SIGTTOU, SIG_IGN);
    } catch {
      // No library of that name.
    }
  }
}

function setSignal(library: string): SetSignal {
  if ("Bun" in globalThis) {
    const { dlopen } = process.getBuiltinModule("bun:ffi") as unknown as BunForeign;
    return dlopen(library, { signal: { args: ["i32", "usize"], returns: "usize" } }).symbols.signal;
  }
  return Deno.dlopen(library, { signal: { parameters: ["i32", "usize"], result: "usize" } })
    .symbols.signal;
}

function machine(): string {
  return process.arch === "arm64" ? "aarch64" : "x86_64";
}
