/**
 * The files of the page: our own panel, and Rerun's viewer.
 *
 * @module
 */
import { checkCallable, checkGiven, hasMethods } from "../../base/check_arguments.ts";
import { encodeBase64 } from "@std/encoding";
import { compressGzip, installedPackages } from "../../adapters/http/package_files.ts";
import type { PackageFiles, ServedPackage } from "../../adapters/http/types.ts";
import { reason } from "../../base/errors.ts";
import { limitedLog } from "../../base/limited_log.ts";
import { consoleLog, type Log } from "../../base/log.ts";
import { acceptsGzip } from "../../base/accepts_gzip.ts";
import type { PageAsset, PageAssets } from "../serve/page_answer.ts";
import { PAGE_FILES, type PageFile } from "./page_files.ts";

const JS = "text/javascript; charset=utf-8";
const CSS = "text/css; charset=utf-8";

/** Content types of the page's own files, by ending. */
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  svg: "image/svg+xml",
  css: CSS,
  js: JS,
};

/** A file of a package, and where it is served. */
interface PackageFile {
  readonly paths: readonly string[];
  readonly type: string;
  readonly from: readonly [ServedPackage, string];
}

/**
 * The files of one version of Rerun's viewer, in the folder that the page loads it from; the viewer
 * imports its glue code without an ending.
 */
function viewerFiles(folder: string, name: ServedPackage): readonly PackageFile[] {
  return [
    { paths: [`${folder}/index.js`], type: JS, from: [name, "index.js"] },
    {
      paths: [`${folder}/re_viewer`, `${folder}/re_viewer.js`],
      type: JS,
      from: [name, "re_viewer.js"],
    },
    {
      paths: [`${folder}/re_viewer_bg.wasm`],
      type: "application/wasm",
      from: [name, "re_viewer_bg.wasm"],
    },
  ];
}

/**
 * The files of packages: viewer 0.22 for what SDK 0.17 to 0.22 logged, 0.33 for what newer ones do.
 */
const FILES: readonly PackageFile[] = [
  { paths: ["/plot/uPlot.esm.js"], type: JS, from: ["uplot", "dist/uPlot.esm.js"] },
  { paths: ["/plot/uPlot.min.css"], type: CSS, from: ["uplot", "dist/uPlot.min.css"] },
  ...viewerFiles("/viewer", "@rerun-io/web-viewer"),
  ...viewerFiles("/viewer-0.33", "rerun-web-viewer-0-33"),
];

/** The files of packages that the page needs: an executable has to carry them. */
export const PACKAGE_FILES: readonly (readonly [ServedPackage, string])[] = FILES.map(
  ({ from }) => from,
);

/** Smaller files are not compressed, since that gains nothing. */
const MIN_COMPRESSED_BYTES = 1024;

/**
 * The page; Rerun's viewer, of tens of megabytes, is read and compressed when it is first asked for.
 *
 * @param log gets a line where a package is not installed, or in another version: the rest of the
 * page works without it; default the console
 * @param packages where the files of packages are; default installed beside this one
 *
 * @example
 * ```ts
 * import { pageAssets } from "@rerelay/server/viewers";
 * import { assertEquals } from "@std/assert";
 *
 * const page = await pageAssets().get("/", "gzip");
 * assertEquals(page?.type, "text/html; charset=utf-8");
 * ```
 */
export function pageAssets(
  log: Log = consoleLog(),
  packages: PackageFiles = installedPackages,
): PageAssets {
  checkCallable({ log });
  checkGiven("pageAssets", "packages with read()", hasMethods(packages, "read"), packages);
  const limited = limitedLog(log, () => performance.now());
  const assets = new Map<string, Asset>();
  for (const name of Object.keys(PAGE_FILES) as PageFile[]) {
    const read = () => Promise.resolve(new TextEncoder().encode(PAGE_FILES[name]));
    const path = name === "index.html" ? "/" : `/${name}`;
    assets.set(path, new Asset(TYPES[name.replace(/.*\./, "")]!, read));
  }
  for (const { paths, type, from } of FILES) {
    const asset = new Asset(type, () => packages.read(...from), async () => {
      const { body, size } = await packages.compressed(...from);
      return { type, body, size, encoding: "gzip", etag: await etagOf(body) };
    });
    for (const path of paths) assets.set(path, asset);
  }
  return {
    async get(path, accepted) {
      try {
        return await assets.get(path)?.served(accepted);
      } catch (error) {
        // Each request for the file would log this line again.
        limited.write("warn", `The page goes without ${path}: ${reason(error)}`, {
          kind: `page without ${path}`,
          path,
        });
        return undefined;
      }
    },
  };
}

/** A file, kept compressed. */
class Asset {
  #compressed: Promise<PageAsset> | undefined;

  constructor(
    readonly type: string,
    readonly read: () => Promise<Uint8Array<ArrayBuffer>>,
    readonly compress?: () => Promise<PageAsset>,
  ) {}

  /** The file as it is, or compressed if the client accepts that. */
  async served(accepted: string): Promise<PageAsset> {
    if (!acceptsGzip(accepted)) return await this.#describe(await this.read());
    this.#compressed ??= this.compress?.() ?? this.#compress();
    // Forgotten, so that the file is found once the package is installed.
    this.#compressed.catch(() => this.#compressed = undefined);
    return await this.#compressed;
  }

  async #compress(): Promise<PageAsset> {
    const bytes = await this.read();
    const plain = await this.#describe(bytes);
    if (bytes.length < MIN_COMPRESSED_BYTES) return plain;
    return { ...plain, body: await compressGzip(bytes), encoding: "gzip" };
  }

  async #describe(body: Uint8Array<ArrayBuffer>): Promise<PageAsset> {
    return { type: this.type, body, size: body.length, etag: await etagOf(body) };
  }
}

/** The file's version: the first half of SHA-256 over all of its bytes. */
async function etagOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `"${encodeBase64(hash.subarray(0, 16))}"`;
}
