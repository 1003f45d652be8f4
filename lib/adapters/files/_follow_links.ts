/**
 * Where a path leads through symbolic links.
 *
 * @module
 */

/** How many links are followed before we give up: as many as Linux follows. */
const MAX_LINKS = 40;

/** What is asked of the system; each function throws where nothing is at the path. */
export interface Links {
  isFile(path: string): Promise<boolean>;
  readLink(path: string): Promise<string>;
  realPath(path: string): Promise<string>;
}

/**
 * Follows links, the last one also to a file that is not there yet.
 *
 * @param path stays as it is if it leads to a device, a pipe or a folder
 * @param links asks the system
 */
export async function followLinks(path: string, links: Links): Promise<string> {
  const there = await links.isFile(path).catch(() => undefined);
  if (there !== undefined) return there ? await links.realPath(path) : path;
  let at = path;
  for (let count = 0; count < MAX_LINKS; count++) {
    const target = await links.readLink(at).catch(() => undefined);
    if (target === undefined) return at;
    const isAbsolute = /^(?:[/\\]|[A-Za-z]:)/.test(target);
    const folder = /^.*[/\\]/s.exec(at)?.[0] ?? "";
    at = isAbsolute ? target : folder + target;
  }
  return path;
}
