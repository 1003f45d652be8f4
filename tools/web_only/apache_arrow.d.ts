// apache-arrow's own types bring Node's into the whole program; the other type check uses them.

// deno-lint-ignore no-explicit-any
export type Table = any;
// deno-lint-ignore no-explicit-any
export declare const tableFromIPC: (...args: any[]) => any;
