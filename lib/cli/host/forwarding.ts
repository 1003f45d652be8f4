/**
 * Sets up forwarding, as the arguments say.
 *
 * @module
 */
import { loadFileAdapter, loadGarbageCollector } from "../../adapters/load.ts";
import type { Readiness } from "../../base/readiness.ts";
import type { Log } from "../../base/log.ts";
import type { ForwardFollower } from "../../forward/forward_to.ts";
import type { KnownMessages } from "../../server/known_messages.ts";
import type { HostOptions } from "../args/args.ts";
import type { CliProcess } from "../process.ts";
import { formatBytes, formatDuration } from "../terminal/units.ts";

/**
 * Makes the followers that forward recordings, without connecting; their code is loaded only if
 * they are asked for.
 *
 * @param options what is forwarded, and where to
 * @param process whose environment has credentials of S3
 * @param log told what is made and what fails
 * @param instance the id of this box, the same for all targets
 * @param known told of what is sent to other servers, which may send it back
 * @throws {RangeError} if a target can't be made
 */
export async function forwardersFor(
  { forward }: HostOptions,
  process: Pick<CliProcess, "env">,
  log: Log,
  instance: () => Promise<string>,
  known?: KnownMessages,
): Promise<ForwardFollower[]> {
  if (forward === undefined) return [];
  const { forwardTo, openTarget } = await import("../../forward/mod.ts");
  const { targets, maxBytesPerSec } = forward;
  const nats = async () => {
    const { natsBox } = await import("./nats_box.ts");
    return await natsBox(forward, instance, log);
  };
  const given = { env: process.env, nats, log, files: loadFileAdapter, ...(known && { known }) };
  const options = { maxBytesPerSec, collectGarbage: await loadGarbageCollector() };
  const opened = await Promise.all(targets.map((url) => openTarget(url, given)));
  return opened.map((target) => forwardTo(target, options));
}

/** A text about the target that is too far behind; `undefined` if none is. */
function behindOf(
  forwarders: readonly Pick<ForwardFollower, "stats">[],
  maxLagSec: number,
): string | undefined {
  const behind = forwarders.map(({ stats }) => stats).find(({ lagSec }) => lagSec > maxLagSec);
  return behind && `${behind.target} is ${formatDuration(Math.round(behind.lagSec))} behind, ` +
      `more than --ready-lag ${formatDuration(maxLagSec)}`;
}

/** Logs where recordings are forwarded to, and what will be removed. */
export function tellForwarding(
  { forward, save, quiet }: HostOptions,
  forwarders: readonly ForwardFollower[],
  log: Log,
  readiness: Pick<Readiness, "add">,
): void {
  if (forward === undefined || save === undefined) return;
  const { bytes = Infinity, unforwarded } = save.keep;
  const then = unforwarded === "keep"
    ? "what is not forwarded stays, even if it fills the disk"
    : `what is not forwarded may take twice as much`;
  readiness.add("forwarding", () => behindOf(forwarders, forward.readyLagSec));
  for (const { name } of forwarders) {
    const text = `Forwarding to ${name}; ${formatBytes(bytes)} of recordings are kept here ` +
      `(--keep-size), ${then}`;
    log.write(quiet ? "debug" : "info", text, { target: name });
    if (!name.startsWith("s3:") || save.rotation.maxBytes || save.rotation.maxAgeSec) continue;
    const late =
      `${name} gets files when they are closed, which is at the end where nothing says ` +
      "when: use --rotate-size or --rotate-every";
    log.write("warn", late, { target: name });
  }
}
