/** Counts the bytes that a task holds, and lets others wait for them to become fewer. */
export interface Memory {
  readonly limit: number;
  used(): number;
  take(bytes: number): void;
  give(bytes: number): void;
  /** Resolves when bytes were given back, and after `timeoutMs` at the latest. */
  changed(timeoutMs: number): Promise<void>;
}

export function memory(limit: number): Memory {
  let used = 0;
  let waiting: (() => void)[] = [];
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
