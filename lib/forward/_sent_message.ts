/**
 * What a message is sent as, so that it is known again where it comes back.
 *
 * @module
 */
import type { LogMsg } from "../encoding/log_msg.ts";
import {
  activationId,
  newActivationId,
  withActivationId,
} from "../encoding/protobuf/activation_id.ts";
import type { ForwardedMessage } from "./target.ts";

/**
 * Gives an activation an id, where its form has room for one: without it nobody could tell one that
 * comes round from one that was logged again.
 *
 * @param file the id of the file that the message stands in
 * @param message the message and its number in the file
 * @param form in which it is sent, if that is not its own
 */
export function sentMessage(
  file: string,
  { msg, number }: Pick<ForwardedMessage, "msg" | "number">,
  form: LogMsg = msg,
): LogMsg {
  if (msg.kind !== "BlueprintActivationCommand") return form;
  if (form.kind !== "BlueprintActivationCommand") return form;
  return withActivationId(form, activationId(msg) ?? newActivationId(file, number));
}
