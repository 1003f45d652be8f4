/** Time that only passes when a test says so. */

/** A clock with the timers that are passed in. */
export class TestClock {
  #now = 0;
  readonly #tasks = new Set<{ ms: number; next: number; task: () => void; once: boolean }>();

  readonly now = (): number => this.#now;

  readonly every = (ms: number, task: () => void): () => void => {
    const entry = { ms, next: this.#now + ms, task, once: false };
    this.#tasks.add(entry);
    return () => this.#tasks.delete(entry);
  };

  readonly delay = (ms: number): Promise<void> =>
    new Promise((task) => this.#tasks.add({ ms, next: this.#now + ms, task, once: true }));

  /** Timers that run. */
  get timers(): number {
    return this.#tasks.size;
  }

  /** Lets time pass, in milliseconds. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [first] = [...this.#tasks].sort((a, b) => a.next - b.next);
      if (first === undefined || first.next > end) break;
      this.#now = first.next;
      if (first.once) this.#tasks.delete(first);
      else first.next += first.ms;
      first.task();
    }
    this.#now = end;
  }
}

/** Lets everything happen that is ready to. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
