/** Lets readers wait for a change without asking again and again. */
export interface WakeUps {
  /** Something changed: those whose condition now holds go on. */
  notify(): void;
  /** Resolves once `ready` holds, or after `waitMs`. Rejects with the signal's reason. */
  wait(ready: () => boolean, waitMs: number, signal?: AbortSignal): Promise<void>;
}

/** `watch` is called with true when the first waiter comes, and with false when the last goes. */
export function createWakeUps(watch: (waiting: boolean) => void = () => {}): WakeUps {
  const waiters = new Set<() => void>();
  return {
    notify() {
      for (const check of [...waiters]) check();
    },
    wait(ready, waitMs, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        if (waitMs <= 0 || ready()) return resolve();
        const end = (settle: () => void): void => {
          waiters.delete(check);
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          if (waiters.size === 0) watch(false);
          settle();
        };
        const check = (): void => {
          if (ready()) end(resolve);
        };
        const abort = (): void => end(() => reject(signal?.reason));
        const timer = setTimeout(() => end(resolve), Math.min(waitMs, 0x7fffffff));
        signal?.addEventListener('abort', abort);
        waiters.add(check);
        if (waiters.size === 1) watch(true);
      });
    },
  };
}
