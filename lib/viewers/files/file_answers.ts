/**
 * Serves files of the disk over HTTP: lists them, gives them whole or in parts, and removes them if
 * that is allowed.
 *
 * @module
 */
import type { ViewerHub } from "../types.ts";
import { checkGiven, hasMethods } from "../../base/check_arguments.ts";
import { checkBoolean, checkText } from "../../base/check_options.ts";
import { checkReadiness } from "../../base/readiness.ts";
import type { OpenedFile, Shelf, ShelvedFile } from "../../recordings/shelf.ts";
import { textResponse } from "../../base/text_response.ts";
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { formatAddr } from "../../base/net_addr.ts";
import { attachment } from "../serve/attachment.ts";
import type { Guard } from "../serve/guard.ts";
import { type ConnectionInfo, RETRY_LATER } from "../serve/join.ts";
import { type StallOptions, StallWatch } from "../serve/stall_watch.ts";
import { byteRange } from "./_byte_range.ts";
import { isChanged, isKnown, versionFor } from "./_conditions.ts";
import { bodyOf, currentPieces, isOfOldForm, rawPieces } from "./_file_body.ts";
import { Downloads, type DownloadStats } from "./downloads.ts";
import { fileJson } from "./file_json.ts";
import { listed, type ListKeys, listQuery } from "./list_query.ts";

/** Options of {@linkcode FileAnswers}. */
export interface FileAnswersOptions extends StallOptions {
  readonly shelf: Shelf;
  readonly guard: Guard;
  /** Whether viewers with the token may remove files. */
  readonly allowDelete: boolean;
  /** Where downloads are logged that were cut off or failed. */
  readonly log: Log;
}

/** A request for a file, and who makes it. */
interface Asked {
  readonly request: Request;
  readonly name: string;
  readonly addr: string | undefined;
}

/** How many downloads may run at once; each holds a file open. */
const MAX_READERS = 64;
/** How many of these may be converted to today's form: each holds a message in both forms. */
const MAX_BRIDGED = 4;

/** How many files are listed by default. */
const DEFAULT_LIMIT = 10_000;

/** Answers requests for files. Who may ask is decided before, except for `DELETE`. */
export class FileAnswers {
  readonly #options: FileAnswersOptions;
  readonly #stalls: StallWatch;
  readonly #downloads: Downloads;
  #readers = 0;
  #bridged = 0;

  /**
   * @param options the files, and what is allowed
   * @param hub whose viewers take them, too
   */
  constructor(options: FileAnswersOptions, hub: Pick<ViewerHub, "unsentBytes"> = {}) {
    this.#options = options;
    this.#stalls = new StallWatch(options, hub);
    this.#downloads = new Downloads(options.log);
  }

  /** Counts of downloads so far. */
  get stats(): DownloadStats {
    return this.#downloads.stats;
  }

  /**
   * One page of the list, as JSON; `x-total-count` has the number of files on all pages, and `link`
   * the next page.
   *
   * @param request with `limit`, `offset`, `search` and `sort` in its address, and in `also` the
   * name of one more file
   */
  async list(request: Request): Promise<Response> {
    const { shelf, allowDelete } = this.#options;
    const { searchParams } = new URL(request.url);
    const query = listQuery(Object.fromEntries(searchParams), DEFAULT_LIMIT);
    if (typeof query === "string") return textResponse(400, query);
    const all = await shelf.list();
    const { page, found } = listed(all, query, keysOf);
    const headers = new Headers({ "x-total-count": String(found) });
    const next = query.offset + page.length;
    if (next < found && page.length > 0) {
      searchParams.delete("token");
      searchParams.set("offset", String(next));
      headers.set("link", `<files?${searchParams}>; rel="next"`);
    }
    const wanted = searchParams.get("also");
    const also = all.find(({ name }) => name === wanted);
    if (also !== undefined && !page.includes(also)) page.push(also);
    return Response.json(page.map((file) => fileJson(file, allowDelete)), { headers });
  }

  /**
   * Gives a file, or a part of it. If the address asks for it (`?format=current`), data of SDK 0.17
   * to 0.22 is given in today's form, and then only as a whole.
   *
   * @param request `GET` or `HEAD`
   * @param name of the file
   * @param info what is known of its connection
   */
  async give(
    request: Request,
    name: string,
    { remoteAddr }: Partial<ConnectionInfo> = {},
  ): Promise<Response> {
    const form = new URL(request.url).searchParams.get("format") ?? "as-sent";
    if (form !== "current" && form !== "as-sent") {
      return textResponse(400, "format is current or as-sent");
    }
    if (this.#readers >= MAX_READERS) {
      this.#downloads.refused++;
      return textResponse(503, `${MAX_READERS} files are being read already`, RETRY_LATER);
    }
    this.#readers++;
    let isKept = false;
    let opened: Awaited<ReturnType<Shelf["open"]>> | undefined;
    try {
      opened = await this.#options.shelf.open(name);
      if (opened === "missing") return textResponse(404, "There is no such file");
      if (opened === "left") {
        return textResponse(
          503,
          "An earlier run left this file unfinished, and it is to be recovered first",
          RETRY_LATER,
        );
      }
      const isBridged = form === "current" && await isOfOldForm(opened.file);
      const addr = remoteAddr === undefined ? undefined : formatAddr(remoteAddr);
      const asked = { request, name, addr };
      const response = isBridged ? this.#giveBridged(asked, opened) : this.#giveRaw(asked, opened);
      isKept = response.body !== null && request.method !== "HEAD" && response.status < 300;
      return response;
    } finally {
      if (!isKept) this.#close(typeof opened === "object" ? opened : undefined);
    }
  }

  /**
   * Removes a file, and its original if it was recovered; to be called only where that is allowed.
   *
   * @param request `DELETE`, with the token in a header: browsers send cookies for other pages,
   * too, but headers only for the user's own
   * @param name of the file
   */
  async remove(request: Request, name: string): Promise<Response> {
    const { guard, shelf } = this.#options;
    const { pathname, origin } = new URL(request.url);
    const url = origin + pathname;
    if (guard.refuseToken({ url, headers: new Headers() }) === undefined) {
      return textResponse(403, "Files are removed only where a token is set (--viewer-token-file)");
    }
    const authorization = request.headers.get("authorization");
    const headers = new Headers(authorization === null ? {} : { authorization });
    const refusal = guard.refuseToken({ url, headers });
    if (refusal !== undefined) {
      if (authorization !== null) return refusal;
      const text = "To remove a file, the token is needed in a header: Authorization: Bearer …";
      return textResponse(401, text, { "www-authenticate": "Bearer" });
    }
    try {
      switch (await shelf.remove(name)) {
        case "removed":
          this.#downloads.removed++;
          return new Response(null, { status: 204 });
        case "missing":
          return textResponse(404, "There is no such file");
        case "foreign":
          return textResponse(403, "This file was not saved by this server, which leaves it alone");
        case "writing":
          return textResponse(
            409,
            "This file is being written: it can be removed once it is closed",
          );
        case "busy":
          return textResponse(
            409,
            "This file is being recovered, or given its chunk index: try again later",
            RETRY_LATER,
          );
      }
    } catch (error) {
      return textResponse(500, `This file could not be removed: ${reason(error)}`);
    }
  }

  #giveRaw({ request, name, addr }: Asked, opened: OpenedFile): Response {
    const { file } = opened;
    const { bytes, etag } = versionFor(request.headers, opened);
    const headers = headersOf(name);
    headers.set("etag", etag);
    headers.set("accept-ranges", "bytes");
    if (file.modifiedMs !== undefined) {
      headers.set("last-modified", new Date(file.modifiedMs).toUTCString());
    }
    if (isChanged(request.headers, etag, file.modifiedMs)) {
      return textResponse(412, "The file has changed meanwhile");
    }
    if (isKnown(request.headers, etag)) return new Response(null, { status: 304, headers });
    // Only a tag tells whether the file is the same: two versions within one second have the same
    // date.
    const ifRange = request.headers.get("if-range");
    const isSame = ifRange === null || ifRange === etag;
    const range = isSame && request.method === "GET"
      ? byteRange(request.headers.get("range"), bytes)
      : undefined;
    if (range === "outside") {
      headers.set("content-range", `bytes */${bytes}`);
      headers.set("content-type", "text/plain; charset=utf-8");
      headers.delete("content-disposition");
      return new Response("The file has nothing there\n", { status: 416, headers });
    }
    const { start, end } = range ?? { start: 0, end: bytes };
    headers.set("content-length", String(end - start));
    if (range !== undefined) headers.set("content-range", `bytes ${start}-${end - 1}/${bytes}`);
    const status = range === undefined ? 200 : 206;
    if (request.method === "HEAD") return new Response(null, { status, headers });
    const download = this.#downloads.begin(name, end - start, addr);
    const pieces = rawPieces(file, { start, end });
    const body = bodyOf(pieces, this.#stalls, download, () => this.#close(opened));
    return new Response(body, { status, headers });
  }

  #giveBridged({ request, name, addr }: Asked, opened: OpenedFile): Response {
    const headers = headersOf(name);
    headers.set("accept-ranges", "none");
    if (request.method === "HEAD") return new Response(null, { headers });
    if (this.#bridged >= MAX_BRIDGED) {
      this.#downloads.refused++;
      const text = `${MAX_BRIDGED} files are being given today's form already`;
      return textResponse(503, text, RETRY_LATER);
    }
    this.#bridged++;
    const download = this.#downloads.begin(name, null, addr);
    const pieces = currentPieces(opened.file, opened.bytes);
    const body = bodyOf(pieces, this.#stalls, download, () => {
      this.#bridged--;
      this.#close(opened);
    });
    return new Response(body, { headers });
  }

  #close(opened: OpenedFile | undefined): void {
    this.#readers--;
    // Errors do not matter: the file was only read.
    opened?.file.close().catch(() => {});
  }
}

function headersOf(name: string): Headers {
  const [, stem = name, ending = ".rrd"] = /^(.*[^/\\])(\.(?:rrd|rbl))$/is.exec(name) ?? [];
  return new Headers({
    "content-type": "application/octet-stream",
    "content-disposition": attachment(stem, ending.toLowerCase()),
  });
}

function keysOf(file: ShelvedFile): ListKeys {
  const { name, recording, application, sdk, lastMs, firstMs, state, bytes } = file;
  return {
    name,
    texts: [recording, application, sdk],
    // A file that is being written counts as the newest.
    lastMs: state === "writing" ? Infinity : lastMs ?? firstMs ?? 0,
    bytes,
  };
}

/**
 * Refuses options of the app that are none of what they are called; those left out are not looked at.
 *
 * @throws {TypeError} that names the option
 * @throws {RangeError} if `allowDelete` is neither true nor false, or `path` no text
 */
export function checkServed(
  options: {
    readonly files?: unknown;
    readonly readers?: unknown;
    readonly allowDelete?: unknown;
    readonly path?: unknown;
    readonly readiness?: unknown;
  },
): void {
  const { files, readers, allowDelete = false, path, readiness } = options;
  const isShelf = files === undefined || hasMethods(files, "list", "open", "remove");
  checkGiven("httpApp", "files, the shelf of a file sink", isShelf, files);
  const canRead = readers === undefined || hasMethods(readers, "read");
  checkGiven("httpApp", "readers, as messageReaders() gives", canRead, readers);
  checkBoolean("allowDelete", allowDelete);
  if (path !== undefined) checkText("path", path);
  checkReadiness("httpApp", readiness);
}
