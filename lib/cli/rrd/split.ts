/**
 * `rrd split`: one file for each recording and each blueprint.
 *
 * @module
 */
import type { LogMsg, StoreId } from "../../log_msg.ts";
import { RerelayError } from "../../errors.ts";
import { RrdConcat } from "../../rrd/writer.ts";
import { EXIT } from "../exit_codes.ts";
import { plural } from "../units.ts";
import { parts, type RrdContext } from "./input.ts";
import type { RrdOptions } from "./options.ts";
import { openOutput, type Output } from "./output.ts";

/** Recordings in one run, and files open at a time. */
const MAX_STORES = 10_000;
const MAX_OPEN = 64;

interface Part {
  readonly path: string;
  readonly concat: RrdConcat;
  messages: number;
  /** Absent while another file has its place. */
  output?: Output;
}

/** Runs the command. */
export async function split(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, files, progress } = context;
  const folder = (options.output ?? ".").replace(/\/+$/, "") || "/";
  const stores = new Map<string, Part>();
  const open: Part[] = [];
  const close = async (part: Part) => {
    await part.output?.sync();
    await part.output?.close();
    delete part.output;
  };
  const use = async (part: Part, isNew: boolean): Promise<Output> => {
    const at = open.indexOf(part);
    if (at >= 0) open.splice(at, 1);
    open.push(part);
    if (open.length > MAX_OPEN) await close(open.shift()!);
    return part.output ??= isNew
      ? await openOutput(part.path, options.files, files, options.force)
      : await files.create(part.path, "append");
  };
  try {
    for await (const { kind, ...part } of parts(options.files[0]!, context)) {
      if (kind !== "message" || !("msg" in part)) continue;
      const { msg } = part;
      const id = storeOf(msg);
      if (id === undefined || msg.encoded.form !== "rrd") continue;
      const key = `${id.kind} ${id.id}`;
      let store = stores.get(key);
      const isNew = store === undefined;
      if (store === undefined) {
        if (stores.size === MAX_STORES) {
          throw new RerelayError(`The file holds more than ${MAX_STORES} recordings`);
        }
        const path = `${folder}/${fileName(id, stores.size + 1)}`;
        stores.set(key, store = { path, concat: new RrdConcat(), messages: 0 });
      }
      const output = await use(store, isNew);
      store.messages++;
      for (const bytes of store.concat.message(msg.encoded)) await output.write(bytes);
    }
    for (const store of stores.values()) {
      const output = await use(store, false);
      for (const bytes of store.concat.end()) await output.write(bytes);
    }
  } finally {
    for (const part of open) await close(part);
  }
  progress.done();
  const list = [...stores.values()].map(({ path, messages }) => ({ file: path, messages }));
  if (options.json) process.stdout(`${JSON.stringify(list, null, 2)}\n`);
  else {for (const { file, messages } of list) {
      process.stdout(`${file}: ${plural(messages, "message")}\n`);
    }}
  return EXIT.ok;
}

function storeOf(msg: LogMsg): StoreId | undefined {
  switch (msg.kind) {
    case "SetStoreInfo":
      return msg.info.storeId;
    case "ArrowMsg":
      return msg.storeId;
    case "BlueprintActivationCommand":
      return msg.blueprintId;
    case "UnknownMsg":
      return undefined;
  }
}

/** Numbered, so that ids which are made safe can't meet; inside the folder whatever the id is. */
export function fileName({ kind, id }: StoreId, number: number): string {
  const safe = id.replaceAll(/[^A-Za-z0-9._-]+/g, "_").replace(/^\.+/, "").slice(0, 100);
  return `${String(number).padStart(3, "0")}-${safe || "recording"}.${
    kind === "Blueprint" ? "rbl" : "rrd"
  }`;
}
