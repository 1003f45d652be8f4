/**
 * How much memory Linux lets this program's container have: by control groups of either version.
 *
 * @module
 */

/** Which text each version has, of a group itself. */
const LIMIT = { v1: "memory.limit_in_bytes", v2: "memory.max" } as const;

type Version = keyof typeof LIMIT;

/** Where a hierarchy of groups is seen. */
interface Mount {
  readonly version: Version;
  /** The group that is seen at the path. */
  readonly root: string;
  readonly path: string;
}

/**
 * The lowest limit of the groups that this program is in, and of those above them that can be seen.
 *
 * @param read gives the text of a file of the system; `undefined` where it can't be read
 * @returns bytes; `undefined` where there is no limit, or none is seen
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

/** proc_pid_mountinfo(5): the root and the path are the fourth and the fifth, the rest behind a hyphen. */
function mountOf(line: string): Mount[] {
  const [left = "", right = ""] = line.split(" - ");
  const [, , , root, path] = left.split(" ").map(unescapeOctal);
  const [type, , options = ""] = right.split(" ");
  if (root === undefined || path === undefined) return [];
  if (type === "cgroup2") return [{ version: "v2", root, path }];
  const isMemory = type === "cgroup" && options.split(",").includes("memory");
  return isMemory ? [{ version: "v1", root, path }] : [];
}

/** The group's folder and all above it; inside a container only the mount's own may be there. */
function foldersOf({ root, path }: Mount, group: string): string[] {
  const base = root === "/" ? "" : root;
  const isBelow = `${group}/`.startsWith(`${base}/`) && !group.includes("/..");
  const names = isBelow ? group.slice(base.length).split("/").filter((name) => name !== "") : [];
  return [path, ...names.map((_, i) => [path, ...names.slice(0, i + 1)].join("/"))];
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}
