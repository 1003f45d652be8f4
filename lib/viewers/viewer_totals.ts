/**
 * What is counted of all viewers together, those that have left included: such counts never get less.
 *
 * @module
 */
import { newTally, sumOf } from "../base/tally.ts";
import type { ViewerStats, ViewerTotals, ViewerTransport } from "./types.ts";

type AllTotals = Record<ViewerTransport, ViewerTotals>;

/** Counts by how viewers are connected. */
export class TotalsOfViewers {
  readonly #left: AllTotals = { websocket: NOTHING, http: NOTHING, grpc: NOTHING };

  /** Keeps what was counted of a viewer that leaves. */
  left(viewer: ViewerStats): void {
    this.#left[viewer.transport] = added(this.#left[viewer.transport], viewer);
  }

  /**
   * All of them.
   *
   * @param viewers that are there
   */
  with(viewers: readonly ViewerStats[]): AllTotals {
    const all = { ...this.#left };
    for (const viewer of viewers) all[viewer.transport] = added(all[viewer.transport], viewer);
    return all;
  }
}

const NOTHING: ViewerTotals = {
  ...{ sent: newTally(), skipped: newTally(), thinned: newTally() },
  ...{ shownFrames: 0, thinnedFrames: 0, thinnedLightMessages: 0 },
};

function added(totals: ViewerTotals, { sent, skipped, thinned }: ViewerStats): ViewerTotals {
  const { shownFrames, thinnedFrames, thinnedLightMessages } = totals;
  return {
    sent: sumOf(totals.sent, sent),
    skipped: sumOf(totals.skipped, skipped),
    shownFrames: shownFrames + (thinned?.shownFrames ?? 0),
    thinnedFrames: thinnedFrames + (thinned?.leftOutFrames ?? 0),
    thinned: thinned === undefined
      ? totals.thinned
      : sumOf(totals.thinned, sumOf(thinned.heavy, thinned.light)),
    thinnedLightMessages: thinnedLightMessages + (thinned?.light.messages ?? 0),
  };
}
