/** One option of the command line, as the parser and the help text use it. */
export interface CliOption {
  /** Its long name without the dashes. */
  readonly name: string;
  /** What stands for its value in the help text; absent for a flag. */
  readonly value?: string;
  /** A valid value, for error texts; the default if there is one. */
  readonly example?: string;
  /** Its short name, one letter. */
  readonly short?: string;
  readonly help: string;
  /** Whether its value is a list with commas, which a configuration file may write as an array. */
  readonly list?: boolean;
  /**
   * Whether it may be given several times; in the environment its values are separated by spaces.
   */
  readonly several?: boolean;
  /** Makes its value safe to show. */
  readonly show?: (value: string) => string;
  /** Whether its value must never be shown. */
  readonly secret?: boolean;
  /** Its default, as the help text shows it. */
  readonly default?: string;
}
