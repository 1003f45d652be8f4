import {
  checkCallable,
  checkGiven,
  checkOptions,
  hasMethods,
  type OptionNames,
} from "../../base/check_arguments.ts";
import {
  checkBoolean,
  checkChoice,
  checkCount,
  checkObject,
  checkPositive,
  checkText,
} from "../../base/check_options.ts";
import type { Keep } from "./parts/part_list.ts";
import type { Rotation } from "./rotation.ts";
import { hasSerialNames, parseSavePattern } from "./save_pattern.ts";

/** Options of the file sink, as somebody passed them. */
export interface UncheckedOptions {
  readonly path: string;
  readonly force?: boolean;
  readonly files?: object;
  readonly sync?: string;
  readonly rotation?: Rotation;
  readonly keep?: Keep;
  readonly compress?: string;
  readonly rrdFormat?: string;
  readonly chunkIndex?: boolean;
  readonly shelved?: boolean;
  readonly followers?: readonly unknown[];
}

const NAMES = {
  ...{ path: true, force: true, files: true, processes: true, log: true, sync: true },
  ...{ rotation: true, keep: true, compress: true, rrdFormat: true, chunkIndex: true },
  ...{ onError: true, now: true, date: true, timer: true, newId: true, shelved: true },
  ...{ followers: true },
};
const ROTATION: OptionNames<Rotation> = { maxBytes: true, maxAgeSec: true };
const KEEP: OptionNames<Keep> = { files: true, bytes: true, unforwarded: true };

/**
 * Refuses options of the file sink that are out of their range, or of no use with its path.
 *
 * @throws {RangeError} that names the option
 * @throws {TypeError} if there is no such option
 */
export function checkSaveOptions(options: UncheckedOptions): void {
  checkOptions<UncheckedOptions>("rrdFileSink", options, NAMES);
  const { path, force = false, sync = "interval", compress = "off" } = options;
  checkText("path", path);
  checkBoolean("force", force);
  checkChoice("sync", sync, ["never", "interval", "always"]);
  checkChoice("compress", compress, ["off", "lz4"]);
  checkChoice("rrdFormat", options.rrdFormat ?? "as-sent", ["as-sent", "current"]);
  checkBoolean("chunkIndex", options.chunkIndex ?? false);
  checkBoolean("shelved", options.shelved ?? false);
  checkObject("rotation", options.rotation, "{ maxBytes: 2 ** 30 }");
  checkObject("keep", options.keep, "{ files: 20 }");
  checkOptions("rotation", options.rotation ?? {}, ROTATION);
  checkOptions("keep", options.keep ?? {}, KEEP);
  checkChoice("unforwarded", options.keep?.unforwarded ?? "drop", ["drop", "keep"]);
  checkCallable(options, ["onError", "now", "date", "timer", "newId"]);
  if (options.files !== undefined) {
    const isAdapter = hasMethods(options.files, "create", "open");
    checkGiven(
      "rrdFileSink",
      "files that can be made, as memoryFiles() has",
      isAdapter,
      options.files,
    );
  }
  const { maxBytes, maxAgeSec } = options.rotation ?? {};
  if (maxBytes !== undefined) checkPositive("rotation.maxBytes", maxBytes);
  if (maxAgeSec !== undefined) checkPositive("rotation.maxAgeSec", maxAgeSec);
  const { files, bytes } = options.keep ?? {};
  if (files !== undefined) checkCount("keep.files", files);
  if (bytes !== undefined) checkPositive("keep.bytes", bytes);
  const pattern = parseSavePattern(path);
  if ((maxBytes ?? maxAgeSec) !== undefined && !hasSerialNames(pattern)) {
    throw new RangeError("rotation makes several files: put {part}, {date} or {time} into path");
  }
  const { followers = [] } = options;
  const areFollowers = Array.isArray(followers) &&
    followers.every((each) => hasMethods(each, "open", "close"));
  checkGiven("rrdFileSink", "followers, as forwardTo() gives", areFollowers, followers);
  const names = followers.map((each) => (each as { readonly name?: string }).name);
  const twice = names.find((name, i) => name !== undefined && names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new RangeError(
      `two followers are called ${twice}: each needs a name of its own, under which it notes how ` +
        "far it is",
    );
  }
  if (followers.length > 0 && !hasSerialNames(pattern)) {
    throw new RangeError("followers read many files: put {part}, {date} or {time} into path");
  }
  if ((files ?? bytes) !== undefined && pattern.placeholders.size === 0) {
    throw new RangeError("keep is about several files: put {part}, {date} or {time} into path");
  }
}
