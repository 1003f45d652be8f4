/**
 * The owner and the rights of a file that takes the place of another.
 *
 * @module
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import type { Unkept } from "./types.ts";

/** Who a file belongs to, and its rights. */
export type Belonging = Pick<Stats, "uid" | "gid" | "mode">;

/** Rights of a group, and those with which a program runs as the owner or the group of its file. */
const [GROUP, SET_IDS] = [0o070, 0o6000];

/**
 * Gives a new file the owner and the rights of the one that it is going to replace.
 *
 * It may lie in a folder of somebody else, who puts a link to another file in its place while root
 * writes it. So a link is not followed, and a file with several names is refused: otherwise anybody
 * could have the system's files given to them.
 *
 * @param path of the new file
 * @param old the file that it replaces
 * @returns what could not be kept
 * @throws the error of the system if it is a link
 * @throws {Error} if it has another name, too
 */
export async function takeOver(path: string, old: Belonging): Promise<Unkept | undefined> {
  const { O_RDWR, O_NOFOLLOW = 0 } = constants;
  const file = await open(path, O_RDWR | O_NOFOLLOW);
  try {
    return await giveAway(file, old);
  } finally {
    await file.close();
  }
}

/** Gives a new file the owner and the rights of another; see {@linkcode takeOver}. */
export async function takeOverFrom(path: string, other: string): Promise<Unkept | undefined> {
  return await takeOver(path, await lstat(other));
}

/** As {@linkcode takeOver}, for a file that is open. */
export async function giveAway(
  file: Pick<FileHandle, "stat" | "chown" | "chmod">,
  { uid, gid, mode }: Belonging,
): Promise<Unkept | undefined> {
  const own = await file.stat();
  if (own.nlink > 1) throw new Error("its new file was given another name meanwhile");
  const may = (owner: number, group: number) =>
    owner === own.uid && group === own.gid
      ? Promise.resolve(true)
      : file.chown(owner, group).then(() => true, () => false);
  // File systems without rights refuse to change them: there all files have the same.
  const allow = (rights: number) =>
    rights === (own.mode & 0o7777)
      ? Promise.resolve(true)
      : file.chmod(rights).then(() => true, () => false);
  if (await may(uid, gid)) return await allow(mode & 0o7777) ? undefined : "rights";
  // Only root gives files away, but whoever is in the group of the old file may give it the new one.
  const keepsGroup = await may(own.uid, gid);
  // Another group gets no right that everybody does not have.
  const shared = keepsGroup ? GROUP : (mode & 0o007) << 3;
  await allow(mode & 0o7777 & ~SET_IDS & (~GROUP | shared));
  if (keepsGroup) return "owner";
  return uid === own.uid ? "group" : "owner and group";
}
