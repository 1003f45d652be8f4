/**
 * What stands before the payload of a WebSocket frame from a server (RFC 6455, section 5.2).
 *
 * @module
 */

/** Kinds of frames. */
export const OPCODE = { binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What stands before a payload is no longer than this. */
export const MAX_HEAD_BYTES = 10;

/**
 * Writes what stands before the payload of a frame that is a message of its own (section 5.2); into
 * a buffer that is there, for it is done for each message and viewer.
 *
 * @param into with room for it
 * @param at where it begins
 * @param opcode the kind of frame
 * @param length of the payload in bytes
 * @returns where it ends
 */
export function writeFrameHead(
  into: Uint8Array,
  at: number,
  opcode: number,
  length: number,
): number {
  into[at++] = 0x80 | opcode;
  const lengthBytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
  into[at++] = lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127;
  for (let i = lengthBytes - 1; i >= 0; i--) into[at++] = Math.floor(length / 256 ** i) & 0xff;
  return at;
}
