/**
 * Joins a server to what boxes have sent to NATS; loaded where `--from` is given.
 *
 * @module
 */
import type { FileAdapter } from "../../adapters/files/types.ts";
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { NatsCredentials } from "../../nats/connection.ts";
import { type FromNats, fromNats } from "../../server/from_nats.ts";
import type { Server } from "../../server/server.ts";
import type { Sink } from "../../sinks/sink.ts";
import type { FromArgs, NatsArgs } from "../args/from_args.ts";

/** A credentials file or certificate has a few kilobytes. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads the files that say who we are.
 *
 * @throws {Error} if one can't be read, with its option
 */
export async function natsCredentials(
  args: NatsArgs,
  files: FileAdapter,
): Promise<NatsCredentials> {
  const read = async (path: string | undefined, option: string) => {
    try {
      return path === undefined ? undefined : await readText(path, files);
    } catch (error) {
      throw new Error(`--${option} ${path} can't be read: ${reason(error)}`);
    }
  };
  const { token } = args;
  const credentials = await read(args.credentialsFile, "nats-credentials");
  const ca = await read(args.caFile, "nats-ca");
  const cert = await read(args.certFile, "nats-cert");
  const key = await read(args.keyFile, "nats-key");
  return {
    ...(credentials !== undefined && { credentials }),
    ...(token !== undefined && { token }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

async function readText(path: string, files: FileAdapter): Promise<string> {
  const file = await files.openAt(path);
  try {
    if (file.size > MAX_FILE_BYTES) throw new Error(`it has ${file.size} bytes`);
    const bytes = new Uint8Array(file.size);
    let at = 0;
    for (let read = 1; at < bytes.length && read > 0; at += read) {
      read = await file.readAt(at, bytes.subarray(at));
    }
    return new TextDecoder().decode(bytes.subarray(0, at));
  } finally {
    await file.close();
  }
}

/** What is joined to a server, and the sink that tells it what was received. */
export interface JoinedNats {
  readonly feed: FromNats;
  /** To stand behind the sinks that keep messages. */
  readonly sink: Sink;
}

/**
 * Makes a feed; `join` is called once all is there that keeps messages.
 *
 * @param args what is wanted
 * @param context how it is reached, and where lines go
 */
export async function natsFeed(
  args: FromArgs,
  { files, log }: { readonly files: FileAdapter; readonly log: Log },
): Promise<FromNats> {
  const { nats, ...from } = args;
  const credentials = await natsCredentials(nats, files);
  return fromNats({ ...from, ...credentials, replicas: nats.replicas, log });
}

/** Joins it, and gives the sink that moves its position. */
export function joinNats(server: Pick<Server, "join">, feed: FromNats): JoinedNats {
  server.join(feed);
  const sink: Sink = {
    name: feed.name,
    write: (batch) => feed.received(batch),
    close: () => Promise.resolve(),
  };
  return { feed, sink };
}
