/** Bytes that are not what the protocol says they should be. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Reads the fields of one message, and never beyond its end. Source: PostgreSQL, Logical Replication Message Formats. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    if (start > end || end > bytes.length) throw new ProtocolError(`a message from ${start} to ${end} in ${bytes.length} bytes`);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = start;
    this.#end = end;
  }

  get position(): number {
    return this.#at;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  /** A string that ends with a zero byte. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0 || end >= this.#end) throw new ProtocolError('a string without its end');
    const start = this.#take(end + 1 - this.#at);
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start).toString('utf8');
  }

  /** A copy of the next bytes. */
  copy(count: number): Uint8Array {
    if (count < 0) throw new ProtocolError(`a length of ${count}`);
    const start = this.#take(count);
    // A Buffer's own slice would be a view.
    return new Uint8Array(this.#bytes.subarray(start, start + count));
  }

  #take(count: number): number {
    const start = this.#at;
    if (start + count > this.#end) throw new ProtocolError(`${count} bytes wanted, ${this.#end - start} left in the message`);
    this.#at = start + count;
    return start;
  }
}
