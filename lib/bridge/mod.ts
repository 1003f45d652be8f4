/**
 * What SDK 0.17 to 0.22 logged, in the form of today's Rerun.
 *
 * @module
 */
export {
  Bridge,
  type BridgeCounts,
  BRIDGED_HEADER,
  type BridgeOptions,
  isBridgeable,
} from "./bridge.ts";
export { BridgeStream } from "./bridge_stream.ts";
