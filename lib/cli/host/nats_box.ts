/**
 * The identity of a box that sends to NATS; loaded only if `--forward` names NATS.
 *
 * @module
 */
import { hostname } from "node:os";
import { loadFileAdapter } from "../../adapters/load.ts";
import type { Log } from "../../base/log.ts";
import { boxIdentity } from "../../forward/box_identity.ts";
import type { NatsTargetOptions } from "../../forward/nats_target.ts";
import { parseSavePattern } from "../../sinks/file/save_pattern.ts";
import type { ForwardArgs } from "../args/forward_args.ts";
import type { SaveOptions } from "../args/save_args.ts";
import { natsCredentials } from "./nats_credentials.ts";

/**
 * Gives what a target in NATS needs besides its address.
 *
 * @param forward the options of `--forward`
 * @param save where the recordings are
 * @param log for what its stream is made like
 */
export async function natsBox(
  { box = hostname(), nats }: ForwardArgs,
  { path }: SaveOptions,
  log: Log,
): Promise<Omit<NatsTargetOptions, "url">> {
  const files = await loadFileAdapter();
  const { folder } = parseSavePattern(path);
  const { replicas } = nats;
  // Asked later, for the folder is made and locked by the file sink, and nothing is touched before.
  const instance = () => boxIdentity(folder, files, { log });
  return { ...await natsCredentials(nats, files), box, instance, replicas, log };
}
