/**
 * Keeps corrupt Arrow data out.
 *
 * @module
 */
import { checkArrow } from "./arrow_check.ts";
import { CorruptArrow } from "../../base/errors.ts";
import type { LogMsg } from "../log_msg.ts";
import type { StepResult } from "../../base/step.ts";

/**
 * What is done with messages whose Arrow data is corrupt: they are received all the same (and saved,
 * but not shown in viewers), dropped, or their client is closed.
 */
export type OnBadArrow = "save" | "drop" | "close";

/** All choices. */
export const ON_BAD_ARROW: readonly OnBadArrow[] = ["save", "drop", "close"];

/**
 * Takes out messages whose Arrow data is corrupt.
 *
 * @param msgs any messages
 * @param onBadArrow what is done with such messages
 * @param onBad called for each
 */
export function guardArrow(
  msgs: readonly LogMsg[],
  onBadArrow: "drop" | "close",
  onBad: (msg: LogMsg, what: string) => void,
): StepResult<LogMsg> {
  const items: LogMsg[] = [];
  for (const msg of msgs) {
    const wrong = msg.kind === "ArrowMsg" ? checkArrow(msg) : undefined;
    if (wrong === undefined) {
      items.push(msg);
      continue;
    }
    onBad(msg, wrong);
    if (onBadArrow === "close") return { items, error: new CorruptArrow(wrong) };
  }
  return { items };
}
