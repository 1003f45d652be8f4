/**
 * Keeps the status line up to date.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import type { ForwardFollower } from "../../forward/forward_to.ts";
import type { Server } from "../../server/server.ts";
import type { FanOut } from "../../sinks/fan_out.ts";
import type { CliProcess } from "../process.ts";
import type { NatsIntake } from "./nats.ts";
import { RateMeter } from "./rates.ts";
import type { Screen } from "../terminal/screen.ts";
import { statusLine } from "./status_line.ts";

/** How often the line is redrawn, in milliseconds. */
const EVERY_MS = 250;

/** Options of {@linkcode liveStatus}. */
export interface LiveStatusOptions {
  readonly server: Pick<Server, "stats" | "latencySec">;
  readonly receiver: Pick<FanOut, "stats">;
  readonly forwarding?: readonly Pick<ForwardFollower, "stats">[];
  readonly nats?: Pick<NatsIntake, "stats"> | undefined;
  readonly process: Pick<CliProcess, "columns">;
  readonly display: Screen;
  readonly color: boolean;
}

/** Shows the line until it is stopped. */
export function liveStatus(options: LiveStatusOptions): { stop(): void } {
  const { server, receiver, forwarding = [], nats, process, display, color } = options;
  const meter = new RateMeter();
  const show = () => {
    const { stats } = server;
    const rates = meter.rates({ time: SYSTEM_CLOCK.now(), ...pick(stats) });
    const lost = receiver.stats.reduce((sum, sink) => sum + sink.lost.messages, 0);
    const from = nats?.stats;
    const shown = {
      ...stats,
      forwarding: forwarding.map(({ stats }) => stats),
      ...(from !== undefined && { nats: from }),
    };
    display.status(statusLine(shown, rates, server.latencySec, lost, process.columns(), color));
  };
  show();
  const end = SYSTEM_CLOCK.every(EVERY_MS, show);
  return {
    stop() {
      end();
      display.status(undefined);
    },
  };
}

function pick({ messages, bytes }: { messages: number; bytes: number }) {
  return { messages, bytes };
}
