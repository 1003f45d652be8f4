/**
 * Bounds how many calls of one kind are under way in files.
 *
 * @module
 */

/** Lets so many calls run at a time, first come first served. */
export class Calls {
  readonly #most: number;
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param most how many at a time */
  constructor(most: number) {
    this.#most = most;
  }

  /** Makes a call as soon as there is room for it. */
  async make<T>(call: () => Promise<T>): Promise<T> {
    if (this.#underWay < this.#most) this.#underWay++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#underWay--;
      else next();
    }
  }
}
