/**
 * The identity of a box that sends to NATS; loaded only if `--forward` names NATS.
 *
 * @module
 */
import { hostname } from "node:os";
import { loadFileAdapter } from "../../adapters/load.ts";
import type { Log } from "../../base/log.ts";
import type { NatsTargetOptions } from "../../forward/nats_target.ts";
import type { ForwardArgs } from "../args/forward_args.ts";
import { natsCredentials } from "./nats_credentials.ts";

/**
 * Gives what a target in NATS needs besides its address.
 *
 * @param forward the options of `--forward`
 * @param instance the id of this box, asked for later
 * @param log for what its stream is made like
 */
export async function natsBox(
  { box = hostname(), nats }: ForwardArgs,
  instance: () => Promise<string>,
  log: Log,
): Promise<Omit<NatsTargetOptions, "url">> {
  const files = await loadFileAdapter();
  const { replicas } = nats;
  return { ...await natsCredentials(nats, files), box, instance, replicas, log };
}
