/** Texts up to this long get room for three bytes a character; longer ones are measured first. */
const unmeasured = 16 * 1024;

/**
 * A growing run of bytes that serialisers append to. `bytes` and `position` are public so that compiled code
 * can write without a call for each byte; after `ensure(n)` the next n bytes may be written, and `bytes` must
 * be read again, since it may have moved.
 */
export class ByteSink {
  bytes: Uint8Array<ArrayBuffer>;
  position = 0;
  /** All of `bytes`, as what writes text natively. */
  #buffer: Buffer;

  constructor(buffer: ArrayBuffer | number = 4096) {
    this.bytes = new Uint8Array(typeof buffer === 'number' ? new ArrayBuffer(buffer) : buffer);
    this.#buffer = Buffer.from(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    const needed = this.position + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(new ArrayBuffer(Math.max(needed, this.bytes.length * 2)));
    grown.set(this.bytes.subarray(0, this.position));
    this.bytes = grown;
    this.#buffer = Buffer.from(grown.buffer);
  }

  /** Appends `source[start, end)`. */
  copy(source: Uint8Array, start = 0, end: number = source.length): void {
    const count = end - start;
    this.ensure(count);
    const { bytes } = this;
    let at = this.position;
    // A loop beats the native call for the short runs that most fields are.
    if (count < 40) for (let i = start; i < end; i++) bytes[at++] = source[i] as number;
    else bytes.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
    this.position += count;
  }

  byte(value: number): void {
    if (this.position === this.bytes.length) this.ensure(1);
    this.bytes[this.position++] = value;
  }

  /** Appends text as UTF-8. */
  text(value: string): void {
    const { length } = value;
    this.ensure(length <= unmeasured ? length * 3 : Buffer.byteLength(value));
    if (length < 60) {
      const { bytes } = this;
      let at = this.position;
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 127) break;
        bytes[at++] = code;
      }
      if (i === length) {
        this.position = at;
        return;
      }
    }
    this.position += this.#buffer.write(value, this.position, 'utf8');
  }

  /** A view of what has been written; valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.position);
  }

  clear(): void {
    this.position = 0;
  }
}
