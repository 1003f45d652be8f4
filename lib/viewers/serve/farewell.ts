/**
 * How much viewers at WebSockets get at once, and the close code that tells them why they were
 * left.
 *
 * @module
 */
import type { ViewerGone } from "../types.ts";

/** How much is taken from the hub at once, in bytes: live viewers share such slices. */
export const SLICE_BYTES: number = 256 * 1024;

/** Close codes of RFC 6455, section 7.4, and what viewers are told. */
export const FAREWELL: Readonly<Record<ViewerGone, readonly [code: number, reason: string]>> = {
  left: [1000, ""],
  stalled: [1013, "Stalled: this viewer took nothing for too long"],
  closed: [1001, "The server is stopping"],
  failed: [1011, "The server failed to serve this viewer"],
};
