import { AddressNotAllowed } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";

/**
 * Makes the test who may connect to the ports of viewers: those that may connect to the port of the
 * SDKs, and whoever is refused is told in the log in the same words.
 *
 * @param allow what `--allow` lists, if it is given
 * @param log where refusals are told
 * @returns `undefined` where all may connect
 */
export async function viewersAllowed(
  allow: readonly string[] | undefined,
  log: Log,
): Promise<((hostname: string | undefined) => boolean) | undefined> {
  if (allow === undefined) return undefined;
  const { allowList } = await import("../../server/allow_list.ts");
  const isListed = allowList(allow);
  return (hostname) => {
    if (hostname !== undefined && isListed(hostname)) return true;
    const refusal = new AddressNotAllowed(hostname);
    log.write("warn", `Refused a viewer: ${refusal.message}`, { kind: `viewer ${refusal.name}` });
    return false;
  };
}
