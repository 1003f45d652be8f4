export declare function concat(
  buffers: readonly Uint8Array<ArrayBufferLike>[],
): Uint8Array<ArrayBuffer>;
