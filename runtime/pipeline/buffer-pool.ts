/**
 * Buffers that go round: task → log thread → task. Their number is what may be in flight, so memory stays flat
 * when the log is slow. Sizes are powers of two, so that a small topic does not hold a large buffer.
 */
export class BufferPool {
  readonly #free = new Map<number, ArrayBuffer[]>();
  readonly #keepBytes: number;
  #freeBytes = 0;

  /** Keeps at most `keepBytes` of unused buffers. */
  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes;
  }

  /** A buffer of at least that size; its content is whatever it was. */
  take(bytes: number): ArrayBuffer {
    const size = sizeFor(bytes);
    const found = this.#free.get(size)?.pop();
    if (found === undefined) return new ArrayBuffer(size);
    this.#freeBytes -= size;
    return found;
  }

  give(buffer: ArrayBuffer): void {
    const size = buffer.byteLength;
    if (size !== sizeFor(size) || this.#freeBytes + size > this.#keepBytes) return;
    this.#freeBytes += size;
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [buffer]);
    else list.push(buffer);
  }
}

const smallestBytes = 8192;

function sizeFor(bytes: number): number {
  let size = smallestBytes;
  while (size < bytes) size *= 2;
  return size;
}
