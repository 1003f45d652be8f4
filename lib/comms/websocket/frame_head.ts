/**
 * The head of a WebSocket frame from a server, which precedes the payload (RFC 6455, section 5.2).
 *
 * @module
 */

/** Kinds of frames. */
export const OPCODE = { binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Bytes of a head at most. */
export const MAX_HEAD_BYTES = 10;

/**
 * Writes the head of a frame that is a whole message (section 5.2), into a given buffer, for this
 * is done for each message and viewer.
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
