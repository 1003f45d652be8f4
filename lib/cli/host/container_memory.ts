/**
 * How much memory Linux lets this program's container have, by control groups of version 1 or 2.
 *
 * @module
 */

/** The file that has the limit of a group, in each version. */
const LIMIT = { v1: "memory.limit_in_bytes", v2: "memory.max" } as const;

type Version = keyof typeof LIMIT;

/** Where a hierarchy of groups is mounted. */
interface Mount {
  readonly version: Version;
  /** The group that is mounted there. */
  readonly root: string;
  readonly path: string;
}

/**
 * The lowest limit of the groups that this program is in, and of those above them that can be seen.
 *
 * @param read gives the text of a file of the system; `undefined` where it can't be read
 * @returns bytes; `undefined` if there is no limit, or none can be seen
 */
export function containerMemory(read: (path: string) => string | undefined): number | undefined {
  const mounts = (read("/proc/self/mountinfo") ?? "").split("\n").flatMap(mountOf);
  const limits = (read("/proc/self/cgroup") ?? "").split("\n").flatMap((line) => {
    const [, controllers = "", group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const version = controllers === "" ? "v2" : "v1";
    const hasMemory = version === "v2" || controllers.split(",").includes("memory");
    if (group === undefined || !hasMemory) return [];
    return mounts.filter((mount) => mount.version === version)
      .flatMap((mount) => foldersOf(mount, group))
      .map((folder) => read(`${folder}/${LIMIT[version]}`)?.trim() ?? "")
      .filter((text) => /^\d+$/.test(text)) // "max": none
      .map(Number);
  });
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/**
 * Reads a line of proc_pid_mountinfo(5): root and path are the fourth and fifth field, the type
 * follows a hyphen.
 */
function mountOf(line: string): Mount[] {
  const [left = "", right = ""] = line.split(" - ");
  const [, , , root, path] = left.split(" ").map(unescapeOctal);
  const [type, , options = ""] = right.split(" ");
  if (root === undefined || path === undefined) return [];
  if (type === "cgroup2") return [{ version: "v2", root, path }];
  const isMemory = type === "cgroup" && options.split(",").includes("memory");
  return isMemory ? [{ version: "v1", root, path }] : [];
}

/**
 * The folders of a group and of all groups above it; inside a container only that of the mount may
 * exist.
 */
function foldersOf({ root, path }: Mount, group: string): string[] {
  const base = root === "/" ? "" : root;
  const isBelow = `${group}/`.startsWith(`${base}/`) && !group.includes("/..");
  const names = isBelow ? group.slice(base.length).split("/").filter((name) => name !== "") : [];
  return [path, ...names.map((_, i) => [path, ...names.slice(0, i + 1)].join("/"))];
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}
