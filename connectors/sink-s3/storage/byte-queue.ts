/** Bytes that wait for more of their kind: in memory, or put aside on disk. */
import type { Memory } from './memory.ts';
import type { Extent, SpillFile } from './spill-file.ts';

const smallestChunk = 1024;
const largestChunk = 1 << 20;

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

export function byteQueue(memory: Memory, spillTo: SpillFile): ByteQueue {
  const aside: Extent[] = [];
  let chunks: Buffer[] = [];
  /** Of the last chunk. */
  let filled = 0;
  let capacity = 0;
  let length = 0;
  let spilling: Promise<void> = Promise.resolve();

  function written(): Buffer[] {
    const last = chunks.at(-1);
    return last === undefined ? [] : [...chunks.slice(0, -1), last.subarray(0, filled)];
  }

  function grow(needed: number): void {
    const size = Math.max(Math.min(largestChunk, Math.max(smallestChunk, capacity)), Math.min(needed, largestChunk));
    chunks.push(memory.allocate(size));
    filled = 0;
    capacity += size;
    memory.take(size);
  }

  function forget(): void {
    memory.give(capacity);
    for (const chunk of chunks) memory.recycle(chunk);
    chunks = [];
    filled = 0;
    capacity = 0;
  }

  async function move(): Promise<void> {
    const taken = written();
    const freed = capacity;
    chunks = [];
    filled = 0;
    capacity = 0;
    try {
      aside.push(await spillTo.write(taken));
    } finally {
      memory.give(freed);
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
      length += bytes.length;
      for (let at = 0; at < bytes.length;) {
        const last = chunks.at(-1);
        const room = last === undefined ? 0 : last.length - filled;
        if (last === undefined || room === 0) {
          grow(bytes.length - at);
          continue;
        }
        const count = Math.min(room, bytes.length - at);
        last.set(at === 0 && count === bytes.length ? bytes : bytes.subarray(at, at + count), filled);
        filled += count;
        at += count;
      }
    },
    spill() {
      if (capacity === 0) return spilling;
      return (spilling = spilling.then(move));
    },
    async take() {
      await spilling;
      const extents = aside.splice(0);
      const [only] = chunks;
      if (extents.length === 0 && chunks.length === 1 && only !== undefined) {
        const bytes = only.subarray(0, filled);
        memory.take(length);
        chunks = [];
        memory.give(capacity);
        filled = 0;
        capacity = 0;
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
