/**
 * Tells errors of certificates and keys from those that pass by themselves.
 *
 * @module
 */
import { reason } from "./errors.ts";

/** Codes of such errors: the names of OpenSSL, as both runtimes give them. */
const CODE =
  /^(?:ERR_(?:TLS|SSL|OSSL|BORINGSSL)|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** Deno's fetch has no code, and says so in the cause. */
const TEXT = /invalid peer certificate/;

/** Whether a connection could not be encrypted because of a certificate or a key. */
export function isTlsError(error: unknown): boolean {
  const { code, cause } = Object(error) as { code?: unknown; cause?: unknown };
  if (typeof code === "string" && CODE.test(code)) return true;
  return TEXT.test(reason(error)) || cause instanceof Error && isTlsError(cause);
}
