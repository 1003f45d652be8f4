/** Few open files, for sinks of many recordings. */
import type { MemoryFiles } from "../../lib/adapters/files/memory_files.ts";
import type { ProcessAdapter } from "../../lib/adapters/process/types.ts";

/** This process, which may have so many files open. */
export function fewFiles(maxOpenFiles: number): ProcessAdapter {
  return { pid: 7, identity: () => Promise.resolve("7 1"), maxOpenFiles };
}

/** The same files, which can't be closed for a while and opened again to go on. */
export function unparked(files: MemoryFiles): MemoryFiles {
  const create = files.create;
  return Object.assign(files, {
    create: async (...args: Parameters<typeof create>) => {
      const { park: _, ...rest } = await create(...args);
      return rest;
    },
  });
}
