/** How far an open file goes when all that its sink was given is in it. */
export interface FileMark {
  /** The file's random id. */
  readonly id: string;
  /** Its length, in bytes. */
  readonly offset: number;
  /** Messages of any kind in it. */
  readonly before: number;
}
