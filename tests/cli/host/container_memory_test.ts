import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { containerMemory } from "../../../lib/cli/host/container_memory.ts";

const GiB = 2 ** 30;
const V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
const V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";
const CPU = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu";
const ROOT = "22 1 8:1 / / rw - ext4 /dev/sda1 rw";

function limit(mounts: string[], groups: string[], files: Record<string, string>) {
  const all: Record<string, string> = {
    "/proc/self/mountinfo": [ROOT, ...mounts, ""].join("\n"),
    "/proc/self/cgroup": [...groups, ""].join("\n"),
    ...files,
  };
  return containerMemory((path) => all[path]);
}

describe("containerMemory", () => {
  it("is what a container of version 2 may have, seen from inside", () => {
    const file = "/sys/fs/cgroup/memory.max";
    assertEquals(limit([V2], ["0::/"], { [file]: `${GiB}\n` }), GiB);
    assertEquals(limit([V2], ["0::/"], { [file]: "max\n" }), undefined);
    // The group of the host, which is not seen here.
    assertEquals(limit([V2], ["0::/../other"], { [file]: `${GiB}\n` }), GiB);
    assertEquals(limit([V2], ["0::/docker/abc"], { [file]: `${GiB}\n` }), GiB);
  });

  it("is the lowest of the groups that it is in, each of which counts", () => {
    const files = {
      "/sys/fs/cgroup/a.slice/memory.max": `${2 * GiB}`,
      "/sys/fs/cgroup/a.slice/b.service/memory.max": "max",
      "/sys/fs/cgroup/other/memory.max": "1",
    };
    assertEquals(limit([V2], ["0::/a.slice/b.service"], files), 2 * GiB);
    const lower = { ...files, "/sys/fs/cgroup/a.slice/b.service/memory.max": `${GiB}` };
    assertEquals(limit([V2], ["0::/a.slice/b.service"], lower), GiB);
  });

  it("is the same with version 1, alone or beside version 2", () => {
    const groups = ["5:cpu,cpuacct:/x", "4:memory:/box/in", "0::/"];
    const files = {
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/memory/box/memory.limit_in_bytes": `${GiB}\n`,
      "/sys/fs/cgroup/memory/box/in/memory.limit_in_bytes": "9223372036854771712\n",
    };
    assertEquals(limit([CPU, V1], groups, files), GiB);
    const unified = V2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified");
    assertEquals(limit([CPU, V1, unified], groups, files), GiB);
    // Without a name space of its own a container has its group mounted under the path of all.
    const inside = V1.replace(" / ", " /docker/abc ");
    const own = { "/sys/fs/cgroup/memory/memory.limit_in_bytes": `${GiB}` };
    assertEquals(limit([inside], ["4:memory:/docker/abc"], own), GiB);
    const below = { ...own, "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "5000000" };
    assertEquals(limit([inside], ["4:memory:/docker/abc/x"], below), 5_000_000);
  });

  it("reads paths with spaces, and knows nothing where there is nothing to read", () => {
    const spaced = V2.replace("/sys/fs/cgroup", "/my\\040groups");
    assertEquals(limit([spaced], ["0::/"], { "/my groups/memory.max": "77" }), 77);
    assertEquals(containerMemory(() => undefined), undefined);
    assertEquals(limit([V2, V1], ["0::/", "4:memory:/"], {}), undefined);
  });
});
