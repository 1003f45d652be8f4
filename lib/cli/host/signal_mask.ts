/**
 * Whether a signal is ignored, as the system tells it of a process.
 *
 * @module
 */

/**
 * Reads it from the text of `/proc/self/status`.
 *
 * @param status whose lines `SigIgn` and `SigCgt` have a bit for each signal, as a hexadecimal number
 * @param signal its number, from 1 on
 * @returns `undefined` if the text does not say it: a signal that is heard by now may have been ignored
 *   before
 */
export function ignoresSignal(status: string, signal: number): boolean | undefined {
  const isIn = (name: string): boolean | undefined => {
    const [, mask] = new RegExp(`^${name}:\\s*([\\da-f]+)$`, "im").exec(status) ?? [];
    if (mask === undefined) return undefined;
    return (BigInt(`0x${mask}`) >> BigInt(signal - 1) & 1n) === 1n;
  };
  return isIn("SigCgt") ? undefined : isIn("SigIgn");
}
