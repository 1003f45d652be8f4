/**
 * Whether a process ignores a signal, as the system tells.
 *
 * @module
 */

/**
 * Reads it from the text of `/proc/self/status`.
 *
 * @param status whose lines `SigIgn` and `SigCgt` have a bit for each signal, as a hexadecimal number
 * @param signal its number, from 1 on
 * @returns `undefined` if the text does not tell: a signal that has a handler by now may have been
 * ignored before
 */
export function ignoresSignal(status: string, signal: number): boolean | undefined {
  const isIn = (name: string): boolean | undefined => {
    const [, mask] = new RegExp(`^${name}:\\s*([\\da-f]+)$`, "im").exec(status) ?? [];
    if (mask === undefined) return undefined;
    return (BigInt(`0x${mask}`) >> BigInt(signal - 1) & 1n) === 1n;
  };
  return isIn("SigCgt") ? undefined : isIn("SigIgn");
}
