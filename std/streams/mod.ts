// @ts-types="./mod.d.ts"
export { concatReadableStreams } from "deno-std/streams/concat_readable_streams.js";
export { toArrayBuffer } from "deno-std/streams/to_array_buffer.js";
export { LimitedBytesTransformStream } from "deno-std/streams/limited_bytes_transform_stream.js";
