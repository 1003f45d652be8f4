/**
 * Sets up what goes to other machines and comes from them: forwarding, and the intake from NATS.
 *
 * @module
 */
import { loadFileAdapter } from "../../adapters/load.ts";
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { ForwardFollower } from "../../forward/forward_to.ts";
import type { FileFollower } from "../../sinks/file/parts/follower.ts";
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
  /** All followers of the file sink. */
  readonly followers: readonly FileFollower[];
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
 * @throws {UsageError} if a file with credentials can't be read
 */
export async function travelOf(
  options: HostOptions,
  process: Pick<CliProcess, "env">,
  log: Log,
  known?: KnownMessages,
): Promise<Travel> {
  const { forward, save } = options;
  const identity = new Identity(save?.path ?? "", log);
  const forwarding = await forwardersFor(options, process, log, identity.ask, known);
  const sendsToNats = forward?.targets.some((url) => /^(nats|tls):/.test(url)) === true;
  const nats = await intakeFor(options, log, sendsToNats ? identity.ask : undefined);
  const others = [...nats?.followers ?? [], ...sendsToNats ? [identity.keeper] : []];
  return { forwarding, nats, followers: [...forwarding, ...others] };
}

/**
 * The identity of this box, for all that ask: two that made it at one time would each have another.
 * It is made when it is first asked for, since the folder is made and locked by the file sink.
 */
class Identity {
  readonly #path: string;
  readonly #log: Log;
  #known: Promise<string> | undefined;

  /**
   * @param path of the recordings, with their pattern
   * @param log told what fails
   */
  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Reads or makes the id. */
  readonly ask = (): Promise<string> =>
    this.#known ??= this.#read(undefined).catch((error) => {
      this.#known = undefined;
      throw error;
    });

  /**
   * Puts the id back where somebody removed it with its folder: with another one the next start would be
   * taken for another box.
   */
  get keeper(): FileFollower {
    return {
      name: "the id of this box",
      open: ({ journal }) => {
        journal.onRestored(() => void this.#putBack());
        return Promise.resolve();
      },
      close: () => this.#puttingBack,
    };
  }

  #puttingBack: Promise<void> = Promise.resolve();

  #putBack(): Promise<void> {
    return this.#puttingBack = this.#puttingBack.then(async () => {
      try {
        await this.#read(await this.#known);
      } catch (error) {
        const text = `The id of this box can't be put back: ${reason(error)}`;
        this.#log.write("warn", text, { kind: "box id" });
      }
    });
  }

  async #read(known: string | undefined): Promise<string> {
    const { boxIdentity } = await import("../../forward/box_identity.ts");
    const log = this.#log;
    const made = { log, ...(known !== undefined && { newId: () => known }) };
    return await boxIdentity(parseSavePattern(this.#path).folder, await loadFileAdapter(), made);
  }
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
