export declare function concatReadableStreams<T>(
  ...streams: ReadableStream<T>[]
): ReadableStream<T>;
export declare function toArrayBuffer(stream: ReadableStream<Uint8Array>): Promise<ArrayBuffer>;
export declare class LimitedBytesTransformStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor(size: number, options?: { error?: boolean });
}
