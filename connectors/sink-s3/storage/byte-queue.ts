/** Bytes that wait for more of their kind: in memory, or put aside on disk. */
import type { Memory } from './memory.ts';
import type { Extent, SpillFile } from './spill-file.ts';

const smallestChunk = 1024;
const largestChunk = 1 << 20;
/** Below this, a loop over the bytes beats the call into native code. */
const shortBytes = 24;

export interface ByteQueue {
  readonly length: number;
  /** Bytes that {@link spill} would free. */
  readonly inMemory: number;
  append(bytes: Uint8Array): void;
  /** Puts what is in memory aside. */
  spill(): Promise<void>;
  /** All of it, in one piece, counted as used until the caller gives it back; the queue is empty then, and done with. */
  take(): Promise<Uint8Array>;
  /** Forgets all of it. */
  drop(): Promise<void>;
}

/**
 * `wholeBytes` is what will be taken of a queue that fills up: while there is memory, one that fills gets a buffer of that
 * size, in which it need not be put together; at once where `fills` says that it will.
 */
export function byteQueue(memory: Memory, spillTo: SpillFile, wholeBytes = 0, fills = false): ByteQueue {
  const aside: Extent[] = [];
  let chunks: Buffer[] = [];
  let last: Buffer | undefined;
  /** Of the last chunk. */
  let filled = 0;
  let capacity = 0;
  let length = 0;
  let spilling: Promise<void> = Promise.resolve();

  function written(): Buffer[] {
    return last === undefined ? [] : [...chunks.slice(0, -1), last.subarray(0, filled)];
  }

  function allocate(size: number): Buffer {
    capacity += size;
    memory.take(size);
    last = memory.allocate(size);
    chunks.push(last);
    filled = 0;
    return last;
  }

  function grow(needed: number): Buffer {
    const isLarge = wholeBytes > largestChunk && (fills || capacity >= largestChunk);
    if (isLarge && capacity < wholeBytes && memory.used() + wholeBytes <= memory.limit) return growWhole();
    return allocate(Math.max(Math.min(largestChunk, Math.max(smallestChunk, capacity)), Math.min(needed, largestChunk)));
  }

  function growWhole(): Buffer {
    const before = written();
    const owned = chunks;
    const freed = capacity;
    release();
    const whole = allocate(wholeBytes);
    for (const chunk of before) {
      whole.set(chunk, filled);
      filled += chunk.length;
    }
    memory.give(freed);
    for (const chunk of owned) memory.recycle(chunk);
    return whole;
  }

  /** There are no chunks any more. */
  function release(): void {
    chunks = [];
    last = undefined;
    filled = 0;
    capacity = 0;
  }

  function forget(): void {
    memory.give(capacity);
    for (const chunk of chunks) memory.recycle(chunk);
    release();
  }

  async function move(): Promise<void> {
    const taken = written();
    const freed = capacity;
    release();
    try {
      aside.push(await spillTo.write(taken));
    } finally {
      memory.give(freed);
    }
  }

  function appendInPieces(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const chunk = last === undefined || filled === last.length ? grow(bytes.length - at) : last;
      const count = Math.min(chunk.length - filled, bytes.length - at);
      chunk.set(bytes.subarray(at, at + count), filled);
      filled += count;
      at += count;
    }
  }

  return {
    get length() {
      return length;
    },
    get inMemory() {
      return capacity;
    },
    append(bytes) {
      const count = bytes.length;
      length += count;
      if (last === undefined || filled + count > last.length) return appendInPieces(bytes);
      if (count > shortBytes) last.set(bytes, filled);
      else for (let at = 0; at < count; at++) last[filled + at] = bytes[at] as number;
      filled += count;
    },
    spill() {
      if (capacity === 0) return spilling;
      return (spilling = spilling.then(move));
    },
    async take() {
      await spilling;
      const extents = aside.splice(0);
      const [only] = chunks;
      // A buffer that is mostly empty would be in memory without being counted.
      if (extents.length === 0 && chunks.length === 1 && only !== undefined && filled >= only.length / 2) {
        const bytes = only.subarray(0, filled);
        memory.take(length);
        memory.give(capacity);
        release();
        length = 0;
        return bytes;
      }
      const asideBytes = extents.reduce((sum, { bytes }) => sum + bytes, 0);
      const whole = memory.allocate(length);
      memory.take(length);
      let at = 0;
      for (const extent of extents) {
        await spillTo.read(extent, whole.subarray(at, at + extent.bytes));
        spillTo.free(extent);
        at += extent.bytes;
      }
      at = asideBytes;
      for (const chunk of written()) {
        whole.set(chunk, at);
        at += chunk.length;
      }
      forget();
      length = 0;
      return whole;
    },
    async drop() {
      await spilling.catch(() => {});
      for (const extent of aside.splice(0)) spillTo.free(extent);
      forget();
      length = 0;
    },
  };
}
