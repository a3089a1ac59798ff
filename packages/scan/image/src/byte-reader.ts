/** Exact amounts out of a stream of chunks. */
export class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Fewer only at the end of the stream. */
  async take(length: number): Promise<Buffer> {
    if (this.#chunk.length >= length && length > 0) {
      const { buffer, byteOffset } = this.#chunk;
      this.#chunk = this.#chunk.subarray(length);
      return Buffer.from(buffer, byteOffset, length);
    }
    // Not filled, so that a size that lies costs addresses and no memory.
    const whole = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length && (await this.#fill())) {
      const part = this.#chunk.subarray(0, length - filled);
      this.#chunk = this.#chunk.subarray(part.length);
      whole.set(part, filled);
      filled += part.length;
    }
    return whole.subarray(0, filled);
  }

  async skip(length: number): Promise<boolean> {
    let left = length;
    while (left > 0 && (await this.#fill())) {
      const part = Math.min(left, this.#chunk.length);
      this.#chunk = this.#chunk.subarray(part);
      left -= part;
    }
    return left === 0;
  }

  /** To the very end, so that what checks the whole stream gets to see it. */
  async drain(): Promise<void> {
    while (await this.#fill()) this.#chunk = new Uint8Array(0);
  }

  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#iterator.next();
      if (done === true) return false;
      this.#chunk = value;
    }
    return true;
  }
}
