/**
 * Sets up what goes to other machines and comes from them: forwarding, and the intake from NATS.
 *
 * @module
 */
import { loadFileAdapter } from "../../adapters/load.ts";
import type { Log } from "../../base/log.ts";
import type { ForwardFollower } from "../../forward/forward_to.ts";
import { parseSavePattern } from "../../sinks/file/save_pattern.ts";
import type { HostOptions } from "../args/args.ts";
import type { KnownMessages } from "../../server/known_messages.ts";
import type { CliProcess } from "../process.ts";
import { forwardersFor } from "./forwarding.ts";
import type { NatsIntake } from "./nats.ts";

/** What goes to other machines and comes from them. */
export interface Travel {
  readonly forwarding: readonly ForwardFollower[];
  readonly nats: NatsIntake | undefined;
}

/**
 * Makes the followers that forward recordings and the intake from NATS, without connecting; their
 * code is loaded only if they are asked for.
 *
 * @param options what goes where, and comes from where
 * @param process whose environment has credentials
 * @param log told what is made and what fails
 * @param known told of what is sent to other servers, which may send it back
 * @throws {RangeError} if a target can't be made
 * @throws {Error} if a file with credentials can't be read
 */
export async function travelOf(
  options: HostOptions,
  process: Pick<CliProcess, "env">,
  log: Log,
  known?: KnownMessages,
): Promise<Travel> {
  const { forward, save } = options;
  const instance = identityOf(save?.path ?? "", log);
  const forwarding = await forwardersFor(options, process, log, instance, known);
  const sendsToNats = forward?.targets.some((url) => /^(nats|tls):/.test(url)) === true;
  const nats = await intakeFor(options, log, sendsToNats ? instance : undefined);
  return { forwarding, nats };
}

/**
 * The identity of this box, for all that ask: two that made it at one time would each have another.
 * It is made when it is first asked for, since the folder is made and locked by the file sink.
 */
function identityOf(path: string, log: Log): () => Promise<string> {
  let known: Promise<string> | undefined;
  const make = async () => {
    const { boxIdentity } = await import("../../forward/box_identity.ts");
    return await boxIdentity(parseSavePattern(path).folder, await loadFileAdapter(), { log });
  };
  return () =>
    known ??= make().catch((error) => {
      known = undefined;
      throw error;
    });
}

async function intakeFor(
  { from, save }: HostOptions,
  log: Log,
  own: (() => Promise<string>) | undefined,
): Promise<NatsIntake | undefined> {
  if (from === undefined) return undefined;
  const { NatsIntake } = await import("./nats.ts");
  const { natsCredentials } = await import("./nats_credentials.ts");
  const files = await loadFileAdapter();
  const credentials = await natsCredentials(from.nats, files);
  return new NatsIntake(from, save?.path, { credentials, log, own });
}
