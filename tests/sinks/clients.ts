/** What clients send that log recordings and blueprints, as SDKs encode it. */
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import type { SmartMessage } from "../../lib/flow/channel/smart_message.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import {
  activation,
  arrowMsg,
  concat,
  Entries,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "../encoding/rrd_builder.ts";

function decoded(payload: Uint8Array): LogMsg {
  const { items, error } = new RrdDecoder().push(concat(rrdHeader(), rrdMessage(payload)));
  if (error !== undefined) throw error;
  return items[0]!;
}

const TIMED = new Entries([[{ name: "frame", typ: "Sequence" }, 1]]);

/** One connection of an SDK. */
export class SdkClient {
  #count = 0;

  constructor(readonly id: number, readonly application = "app") {}

  /** The announcement of a recording. */
  announces(recording: string): SmartMessage {
    return this.#sends(decoded(this.#info("Recording", recording)));
  }

  /** Data of a recording with a time. */
  logs(recording: string, data = 10): SmartMessage {
    const inc = BigInt(1000 * this.id + ++this.#count);
    return this.#sends(decoded(arrowMsg(TIMED, { id: recording, data, inc })));
  }

  /** A whole blueprint: announcement, data, activation. */
  blueprint(id: string, { data = 1000, active = true, isDefault = true } = {}): SmartMessage[] {
    const inc = BigInt(1000 * this.id + ++this.#count);
    return [
      this.#sends(decoded(this.#info("Blueprint", id))),
      this.#sends(decoded(arrowMsg(TIMED, { id, kind: "Blueprint", data, inc }))),
      this.#sends(decoded(activation(id, active, isDefault))),
    ];
  }

  /** The end of the connection. */
  quits(): SmartMessage {
    return { source: { kind: "tcp-client", id: this.id }, payload: { type: "quit" }, time: 0 };
  }

  #info(kind: string, id: string): Uint8Array {
    const fields = storeInfoFields();
    return setStoreInfo({ ...fields, application_id: this.application, store_id: { kind, id } });
  }

  #sends(msg: LogMsg): SmartMessage {
    return {
      source: { kind: "tcp-client", id: this.id },
      payload: { type: "msg", msg },
      time: 0,
    };
  }
}

/** What a file holds: `*` before an announcement, `+` behind an activation. */
export function contentsOf(file: Uint8Array): string[] {
  const { items, error } = new RrdDecoder().push(file);
  if (error !== undefined) throw error;
  return items.map((msg) => {
    if (msg.kind === "SetStoreInfo") return `*${msg.info.storeId.id}`;
    if (msg.kind === "BlueprintActivationCommand") return `${msg.blueprintId.id}+`;
    return msg.kind === "ArrowMsg" ? msg.storeId.id : msg.name;
  });
}
