/**
 * What all errors of this package have in common.
 *
 * @module
 */

/** What every error of this package is. */
export class RerelayError extends Error {
  /** `hostname:port` of the client that it is about, where it is about one. */
  client?: string;
  /** Where in what the client sent it was found: how many bytes came before that packet. */
  byteOffset?: number;

  /**
   * Takes the name of its class.
   *
   * @param message one line that says who, what, and the option that changes it
   * @param options `cause`: what led to it
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A value that a peer sent, for the text of an error: escaped, and cut to a part of a line. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : typeof value;
}

/** What an unknown thrown value says, on one line. */
export function reason(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s*\n\s*/g, " ");
}
