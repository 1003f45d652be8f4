// @ts-types="./mod.d.ts"
export { decodeBase64, encodeBase64 } from "deno-std/encoding/base64.js";
