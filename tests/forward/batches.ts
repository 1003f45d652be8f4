/** Batches of real messages, as the forwarder makes them. */
import { Announced } from "../../lib/encoding/announced.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { PacketDecoder } from "../../lib/encoding/rrd/packet_decoder.ts";
import { storeOf } from "../../lib/encoding/store_of.ts";
import type { ForwardBatch, ForwardedMessage } from "../../lib/forward/target.ts";
import { capturePackets } from "../fixtures.ts";

/** The messages of a recorded connection. */
export function capturedMessages(name: string): LogMsg[] {
  const { items, error } = new PacketDecoder().push(capturePackets(name));
  if (error !== undefined) throw error;
  new Announced().tell(items);
  return items;
}

/** Numbers messages from a first number on. */
export function numbered(messages: readonly LogMsg[], first = 0): ForwardedMessage[] {
  return messages.map((msg, i) => ({
    number: first + i,
    msg,
    application: msg.kind === "SetStoreInfo" ? msg.info.applicationId : msg.applicationId ?? "",
    recording: storeOf(msg)?.id ?? "",
  }));
}

/** A batch of numbered messages. */
export function batchOf(file: string, messages: readonly ForwardedMessage[]): ForwardBatch {
  const bytes = messages.reduce((sum, { msg }) => sum + msg.encoded.bytes.length, 0);
  return { file, messages, bytes };
}
