export declare function encodeBase64(data: Uint8Array): string;
export declare function decodeBase64(b64: string): Uint8Array;
