/** So many arguments every runtime takes. */
const MAX_ARGS = 4096;

/**
 * Text of which each byte is one character, U+0000 to U+00FF.
 *
 * Put together from single characters it would leave a string behind for each: of a header field of 4 kB
 * that a hostile client sends again and again that is 130 kB of memory.
 *
 * @param bytes of which it is a part
 * @param from where it begins
 * @param to where it ends
 */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let at = from; at < to; at += MAX_ARGS) {
    const part = bytes.subarray(at, Math.min(to, at + MAX_ARGS));
    text += String.fromCharCode.apply(null, part as unknown as number[]);
  }
  return text;
}
