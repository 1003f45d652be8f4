/** How far a file that is open went when all that was given to its sink was in it. */
export interface FileMark {
  /** The file's random id. */
  readonly id: string;
  /** Its length, in bytes. */
  readonly offset: number;
  /** Messages of any kind in it. */
  readonly before: number;
}
