// @ts-types="./mod.d.ts"
export { concat } from "deno-std/bytes/concat.js";
