interface Piece {
  readonly bytes: Uint8Array;
  readonly done: (() => void) | undefined;
}

/** Bytes of one stream that wait for the peer's windows. */
export class SendQueue {
  #pieces: Piece[] = [];
  /** Index of the first piece that is left, and how much of it was taken. */
  #first = 0;
  #at = 0;
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a piece; `done` is called once, when its memory may change. */
  push(bytes: Uint8Array, done: (() => void) | undefined): void {
    this.#pieces.push({ bytes, done });
    this.#bytes += bytes.length;
  }

  /**
   * Moves bytes to where they are written from.
   *
   * @param count how many, at most `bytes`
   * @param into where they go
   * @param to from where on
   * @param done gets the callbacks of pieces that were moved whole
   */
  move(count: number, into: Uint8Array, to: number, done: (() => void)[]): void {
    this.#bytes -= count;
    for (let at = to, end = to + count; at < end;) {
      const piece = this.#pieces[this.#first]!;
      const { bytes } = piece;
      const length = Math.min(bytes.length - this.#at, end - at);
      into.set(
        length === bytes.length ? bytes : bytes.subarray(this.#at, this.#at + length),
        at,
      );
      at += length;
      this.#at += length;
      if (this.#at === bytes.length) this.#next(piece, done);
    }
    if (this.#first === this.#pieces.length) this.#reset();
    else if (this.#first > 1024) {
      this.#pieces = this.#pieces.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Drops what waits. */
  clear(done: (() => void)[]): void {
    // As of nearly all streams when they end.
    if (this.#pieces.length === 0) return;
    for (const piece of this.#pieces.slice(this.#first)) if (piece.done) done.push(piece.done);
    this.#reset();
  }

  #next(piece: Piece, done: (() => void)[]): void {
    if (piece.done !== undefined) done.push(piece.done);
    this.#first++;
    this.#at = 0;
  }

  #reset(): void {
    this.#pieces = [];
    this.#first = this.#at = this.#bytes = 0;
  }
}
