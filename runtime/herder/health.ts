/** Whether this worker can do its work (KIP-1017). Source: org.apache.kafka.connect.runtime.rest.entities.WorkerStatus. */
import type { Herder } from '../ports/herder.ts';

export interface Health extends AsyncDisposable {
  /** The stores are read, and the first assignment is dealt with. */
  started(): void;
  failed(): void;
  /** Work of the herder that nothing else may overtake; it makes the worker unhealthy when it takes long. */
  watch<T>(what: string, work: () => Promise<T>): Promise<T>;
  now(): ReturnType<Herder['health']>;
}

export interface HealthOptions {
  readonly unhealthyAfterMs: number;
  readonly probeEveryMs: number;
  /** Rejects when the stores cannot be read. */
  readonly probe: () => Promise<void>;
  /** How long the oldest write has waited. */
  readonly waitingMs: () => number;
}

export function createHealth({ unhealthyAfterMs, probeEveryMs, probe, waitingMs }: HealthOptions): Health {
  let phase: 'starting' | 'ready' | 'failed' = 'starting';
  let unreadableSinceMs: number | undefined;
  const working = new Map<symbol, { readonly what: string; readonly sinceMs: number }>();
  let probing = false;

  async function check(): Promise<void> {
    if (probing) return;
    probing = true;
    try {
      await probe();
      unreadableSinceMs = undefined;
    } catch {
      unreadableSinceMs ??= Date.now();
    } finally {
      probing = false;
    }
  }

  let timer: NodeJS.Timeout | undefined;

  function problem(): string | undefined {
    const now = Date.now();
    const long = (sinceMs: number): boolean => now - sinceMs >= unhealthyAfterMs;
    if (phase === 'failed') return 'It could not start.';
    if (unreadableSinceMs !== undefined && long(unreadableSinceMs)) {
      return `The config topic could not be read for ${Math.round((now - unreadableSinceMs) / 1000)} s: see whether the log can be reached.`;
    }
    const waiting = waitingMs();
    if (waiting >= unhealthyAfterMs) {
      return `Statuses could not be written for ${Math.round(waiting / 1000)} s: see whether the log can be reached.`;
    }
    for (const { what, sinceMs } of working.values()) {
      if (long(sinceMs)) return `The worker is currently ${what}, which began at ${new Date(sinceMs).toISOString()}.`;
    }
    return undefined;
  }

  return {
    started() {
      if (phase !== 'starting') return;
      phase = 'ready';
      timer = setInterval(() => void check(), probeEveryMs);
      timer.unref();
    },
    failed() {
      phase = 'failed';
    },
    async watch(what, work) {
      const key = Symbol(what);
      working.set(key, { what, sinceMs: Date.now() });
      try {
        return await work();
      } finally {
        working.delete(key);
      }
    },
    now() {
      const trouble = problem();
      if (trouble !== undefined) {
        const message = 'Worker was unable to handle this request and may be unable to handle other requests.';
        return { status: 'unhealthy', message: `${message} ${trouble}` };
      }
      if (phase === 'starting') return { status: 'starting', message: 'Worker is still starting up.' };
      return { status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' };
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
    },
  };
}
