import type { Catalog } from './catalog.ts';
import { compactPartition } from './compaction.ts';
import type { Database } from './database.ts';
import { removeDeletedTopics, retainPartition, shrinkFile } from './retention.ts';
import { hasPolicy } from './topic-config.ts';
import type { TransactionQueue } from './transaction-queue.ts';

export interface MaintenanceSurroundings {
  readonly database: Database;
  readonly catalog: Catalog;
  readonly queue: TransactionQueue;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

export interface Maintenance extends AsyncDisposable {
  /** Retention, compaction and what deleted topics left: now. One run at a time; a call during a run waits for that. */
  run(): Promise<void>;
}

/** Tidies up every `intervalMs`, or when told alone, in steps between which the log goes on. */
export function startMaintenance(surroundings: MaintenanceSurroundings, intervalMs: number | undefined): Maintenance {
  let running: Promise<void> | undefined;
  let stopped = false;

  async function tidy(): Promise<void> {
    const { catalog } = surroundings;
    await removeDeletedTopics(surroundings);
    for (const topic of [...catalog.topics()]) {
      for (const partition of topic.partitions) {
        if (stopped || topic.deleted) break;
        if (hasPolicy(topic.config, 'delete')) await retainPartition(surroundings, topic, partition);
        if (hasPolicy(topic.config, 'compact')) await compactPartition(surroundings, topic, partition);
      }
    }
    await shrinkFile(surroundings);
  }

  function run(): Promise<void> {
    running ??= tidy().finally(() => {
      running = undefined;
    });
    return running;
  }

  const tick = (): void => {
    run().catch((error: unknown) => {
      if (!stopped) surroundings.warn(`embedded log: tidying up failed, and will be tried again: ${String(error)}`);
    });
  };
  const timer = intervalMs === undefined ? undefined : setInterval(tick, intervalMs).unref();
  return {
    run,
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearInterval(timer);
      await running?.catch(() => {});
    },
  };
}
