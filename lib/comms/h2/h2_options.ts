import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { MAX_FRAME_BYTES, MAX_WINDOW, SETTING } from "./frames.ts";
import { DEFAULT_FRAME_BYTES, DEFAULT_WINDOW } from "./frames.ts";
import type { H2Options } from "./types.ts";

/** All options but what is done with streams, with defaults. */
export type ResolvedH2Options = Required<Omit<H2Options, "onStream">> & Pick<H2Options, "onStream">;

const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * Fills in the defaults.
 *
 * @param isClient which side
 * @throws {RangeError} if a number is out of its range
 */
export function resolveH2Options(isClient: boolean, options: H2Options): ResolvedH2Options {
  const { streamWindow = 2 * MiB } = options;
  const resolved = {
    maxFrameBytes: MiB,
    streamWindow,
    initialWindow: streamWindow,
    connectionWindow: 4 * MiB,
    maxStreams: 64,
    maxHeaderBytes: 16 * KiB,
    headersTimeoutSec: isClient ? Infinity : 10,
    idleTimeoutSec: isClient ? Infinity : 60,
    pingAfterSec: 20,
    pingTimeoutSec: 10,
    now: SYSTEM_CLOCK.now,
    ...options,
  };
  const { maxFrameBytes, initialWindow, connectionWindow } = resolved;
  check("maxFrameBytes", maxFrameBytes, DEFAULT_FRAME_BYTES, MAX_FRAME_BYTES);
  check("streamWindow", streamWindow, 1, MAX_WINDOW);
  check("initialWindow", initialWindow, 0, streamWindow);
  check("connectionWindow", connectionWindow, DEFAULT_WINDOW, MAX_WINDOW);
  return resolved;
}

function check(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${value}`);
}

/** The settings that the peer is told, as pairs of a setting and its value. */
export function settingsOf(isClient: boolean, options: ResolvedH2Options): [number, number][] {
  const { maxStreams, initialWindow, maxFrameBytes, maxHeaderBytes } = options;
  return [
    isClient ? [SETTING.ENABLE_PUSH, 0] : [SETTING.MAX_CONCURRENT_STREAMS, maxStreams],
    [SETTING.INITIAL_WINDOW_SIZE, initialWindow],
    [SETTING.MAX_FRAME_SIZE, maxFrameBytes],
    [SETTING.MAX_HEADER_LIST_SIZE, maxHeaderBytes],
  ];
}
