/**
 * Keeps secrets of arguments out of whatever a command says.
 *
 * @module
 */
import { escapeText } from "../../base/escape.ts";
import { hideSecrets } from "../../forward/url.ts";
import type { CliProcess } from "../process.ts";

/** What begins as an address does, behind the name of an option, too. */
const ADDRESS = /[a-z][a-z0-9+.-]*:\/\/.*/is;

/**
 * Gives a process whose standard error shows addresses among these arguments without user names,
 * passwords and queries: an address that was given for a file is named in many errors.
 *
 * @param process the process
 * @param args its arguments
 */
export function hideArguments(process: CliProcess, args: readonly string[]): CliProcess {
  const hidden = args.flatMap((arg) => {
    const [address] = ADDRESS.exec(arg) ?? [];
    if (address === undefined || hideSecrets(address) === address) return [];
    return [address, escapeText(address)].map((text) => [text, hideSecrets(text)] as const);
  });
  if (hidden.length === 0) return process;
  const shown = (text: string) =>
    hidden.reduce((rest, [secret, name]) => rest.replaceAll(secret, () => name), text);
  return { ...process, stderr: (text) => process.stderr(shown(text)) };
}
