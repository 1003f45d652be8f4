/** The value of one option, and where it was set. */
export interface Setting {
  /** The value as a text; of a flag, whether it is on. */
  readonly value: string | boolean;
  /** How errors call the place, such as `RERELAY_PORT` or `rerelay.toml, line 3: port`. */
  readonly where: string;
  readonly source: "flag" | "environment" | "file";
}

/** Settings by the names of their options, without dashes. */
export type Settings = ReadonlyMap<string, Setting>;
