// @ts-types="./mod.d.ts"
export { parse } from "deno-std/toml/parse.js";
