/** One option of the command line, as the parser and the help text read it. */
export interface CliOption {
  /** Its long name without the dashes. */
  readonly name: string;
  /** What stands for its value in the help text; absent for a flag. */
  readonly value?: string;
  /** A value that works, for error texts; the default where there is one. */
  readonly example?: string;
  /** One letter for it. */
  readonly short?: string;
  readonly help: string;
  /** Whether its value is a list with commas, which a configuration file may write as an array. */
  readonly list?: boolean;
  /** Whether it may be given several times; in the environment its values stand between spaces. */
  readonly several?: boolean;
  /** Its value as others may see it. */
  readonly show?: (value: string) => string;
  /** Whether its value is for nobody's eyes. */
  readonly secret?: boolean;
  /** Shown in the help text. */
  readonly default?: string;
}
