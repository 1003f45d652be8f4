/**
 * Tells errors that somebody has to mend, such as a wrong password, from those that pass.
 *
 * @module
 */
import { reason } from "../base/errors.ts";
import { isTlsError } from "../base/tls_errors.ts";

/** How servers refuse a user, or what he may not do. */
const NOT_ALLOWED = /authorization violation|permissions violation|authentication/i;

/** How the client refuses the content of a credentials file. */
const BAD_CREDENTIALS = /unable to parse credentials|^nkeys: /;

/** How the client says that a connection can't be encrypted as it should be. */
const NO_TLS = /does not support 'tls'|'tls' is not available/;

/**
 * Says what somebody has to look at before NATS lets us in.
 *
 * @param error why there is no connection, or why something was refused
 * @returns the error and the options that matter; `undefined` if it may pass by itself
 */
export function refusalOf(error: unknown): string | undefined {
  const text = reason(error);
  if (NOT_ALLOWED.test(text) || BAD_CREDENTIALS.test(text)) {
    return `${text}: look at what NATS lets this user do, and at --nats-credentials, --nats-user and ` +
      "--nats-token-file";
  }
  if (NO_TLS.test(text)) {
    return `${text}: switch it on there, or leave out --nats-ca, --nats-cert and --nats-key and say ` +
      "nats:// in place of tls://";
  }
  if (!isTlsError(error)) return undefined;
  return `${text}: look at the server's certificate, and at --nats-ca, --nats-cert and --nats-key`;
}
