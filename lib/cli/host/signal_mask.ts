/**
 * Whether a signal is ignored, as the system tells it of a process.
 *
 * @module
 */

/**
 * Reads it from the text of `/proc/self/status`.
 *
 * @param status whose line `SigIgn` has a bit for each signal, as a hexadecimal number
 * @param signal its number, from 1 on
 * @returns `undefined` if the text does not say it
 */
export function ignoresSignal(status: string, signal: number): boolean | undefined {
  const [, mask] = /^SigIgn:\s*([\da-f]+)$/im.exec(status) ?? [];
  if (mask === undefined) return undefined;
  return (BigInt(`0x${mask}`) >> BigInt(signal - 1) & 1n) === 1n;
}
