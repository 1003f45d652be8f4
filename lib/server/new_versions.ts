/** Versions of data that are told apart; beyond it a peer only repeats itself. */
const MAX_VERSIONS = 100;

/** Says of each version whether it is the first time that it is seen. */
export function newVersions(): (version: string) => boolean {
  const seen = new Set<string>();
  return (version) => {
    if (seen.has(version) || seen.size >= MAX_VERSIONS) return false;
    seen.add(version);
    return true;
  };
}
