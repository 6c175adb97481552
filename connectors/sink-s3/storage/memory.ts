/** Counts the bytes that a task holds, and lets others wait for them to become fewer. */
export interface Memory {
  readonly limit: number;
  used(): number;
  take(bytes: number): void;
  give(bytes: number): void;
  /** Resolves when bytes were given back, and after `timeoutMs` at the latest. */
  changed(timeoutMs: number): Promise<void>;
  /** A buffer of that length, with anything in it: one that was handed back, or a new one. Does not count it. */
  allocate(length: number): Buffer<ArrayBuffer>;
  /** Hands a buffer back that nobody reads any more, for the next of its length. */
  recycle(buffer: Uint8Array): void;
}

/** Below this, allocating costs next to nothing. */
const smallestSpare = 1 << 20;

export function memory(limit: number): Memory {
  let used = 0;
  let waiting: (() => void)[] = [];
  const spare: Buffer<ArrayBuffer>[] = [];
  let spareBytes = 0;
  return {
    limit,
    used: () => used,
    take: (bytes) => void (used += bytes),
    give(bytes) {
      used -= bytes;
      for (const wake of waiting.splice(0)) wake();
    },
    changed(timeoutMs) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      waiting.push(resolve);
      return promise.finally(() => {
        clearTimeout(timer);
        waiting = waiting.filter((each) => each !== resolve);
      });
    },
    allocate(length) {
      // The one that was used last: it is in the processor's cache.
      const at = length < smallestSpare ? -1 : spare.findLastIndex((each) => each.length === length);
      const [found] = at < 0 ? [] : spare.splice(at, 1);
      if (found !== undefined) spareBytes -= length;
      return found ?? Buffer.allocUnsafeSlow(length);
    },
    recycle(buffer) {
      const { length } = buffer;
      // Only what was allocated here, whole.
      if (length < smallestSpare || buffer.buffer.byteLength !== length || !(buffer.buffer instanceof ArrayBuffer)) return;
      for (; spareBytes + length > limit / 4;) {
        const oldest = spare.shift();
        if (oldest === undefined) return;
        spareBytes -= oldest.length;
      }
      spare.push(Buffer.from(buffer.buffer, 0, length));
      spareBytes += length;
    },
  };
}

/** Lets a number of requests, and of bytes in them, be under way at once; one alone may be as large as it likes. */
export interface Slots {
  /** Resolves when the request may go; calling what it gives lets the next one go. */
  acquire(bytes: number): Promise<() => void>;
}

export function slots(most: number, mostBytes: number): Slots {
  const queue: { bytes: number; go: () => void }[] = [];
  let count = 0;
  let bytesOut = 0;
  const next = (): void => {
    for (;;) {
      const first = queue[0];
      if (first === undefined || count >= most || (count > 0 && bytesOut + first.bytes > mostBytes)) return;
      queue.shift();
      count++;
      bytesOut += first.bytes;
      first.go();
    }
  };
  return {
    acquire(bytes) {
      const { promise, resolve } = Promise.withResolvers<() => void>();
      let released = false;
      const release = (): void => {
        if (released) return;
        released = true;
        count--;
        bytesOut -= bytes;
        next();
      };
      queue.push({ bytes, go: () => resolve(release) });
      next();
      return promise;
    },
  };
}
