/** Exact amounts out of a stream of chunks. */
export class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Of the chunk, what was taken. */
  #at = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Fewer only at the end of the stream. */
  async take(length: number): Promise<Buffer> {
    if (this.#chunk.length - this.#at >= length && length > 0) {
      const { buffer, byteOffset } = this.#chunk;
      const start = byteOffset + this.#at;
      this.#at += length;
      return Buffer.from(buffer, start, length);
    }
    // Not filled, so that a size that lies costs addresses and no memory.
    const whole = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length && (await this.#fill())) {
      const part = this.#chunk.subarray(this.#at, this.#at + length - filled);
      this.#at += part.length;
      whole.set(part, filled);
      filled += part.length;
    }
    return whole.subarray(0, filled);
  }

  async skip(length: number): Promise<boolean> {
    let left = length;
    while (left > 0 && (await this.#fill())) {
      const part = Math.min(left, this.#chunk.length - this.#at);
      this.#at += part;
      left -= part;
    }
    return left === 0;
  }

  /** To the very end, so that what checks the whole stream gets to see it. */
  async drain(): Promise<void> {
    while (await this.#fill()) this.#at = this.#chunk.length;
  }

  async #fill(): Promise<boolean> {
    while (this.#at >= this.#chunk.length) {
      const { done, value } = await this.#iterator.next();
      if (done === true) return false;
      this.#chunk = value;
      this.#at = 0;
    }
    return true;
  }
}
