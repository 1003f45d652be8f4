import { checkGiven } from "../base/check_arguments.ts";
import type { ArrowMsg } from "./arrow_msg.ts";

/**
 * Refuses what is not a message with Arrow data.
 *
 * @param taker the function that needs one
 * @param msg what was passed
 * @throws {TypeError} that names the function
 */
export function checkArrowMsg(taker: string, msg: unknown): void {
  if (typeof (msg as Partial<ArrowMsg> | undefined)?.ipc === "function") return;
  const kind = (msg as { readonly kind?: unknown } | undefined)?.kind;
  checkGiven(taker, 'a message of kind "ArrowMsg"', false, typeof kind === "string" ? kind : msg);
}
