/** How often connectors and tasks were started here, and how that went. Source: org.apache.kafka.connect.runtime.WorkerMetricsGroup. */
import type { TaskId } from '../ports/tasks.ts';

export interface StartupCounts {
  /** A start begins; the first word on how it went counts. */
  begin(what: 'connector' | 'task'): Startup;
  /** A failed task is started again, by itself. */
  restarted(id: TaskId): void;
  /** How often that was, of each task for which it was. */
  restarts(): readonly TaskRestartCount[];
  /** Of `connect-worker-metrics`, by Connect's attribute names; percentages from 0 to 1, as Connect has them. */
  attributes(): Readonly<Record<string, number>>;
}

export interface TaskRestartCount {
  readonly id: TaskId;
  readonly total: number;
}

export interface Startup {
  succeeded(): void;
  failed(): void;
}

export function createStartupCounts(): StartupCounts {
  const counts = { connector: { attempts: 0, success: 0, failure: 0 }, task: { attempts: 0, success: 0, failure: 0 } };
  const restarts = new Map<string, TaskRestartCount>();
  return {
    restarted(id) {
      const name = `${id.connector}-${id.task}`;
      restarts.set(name, { id, total: (restarts.get(name)?.total ?? 0) + 1 });
    },
    restarts: () => [...restarts.values()],
    begin(what) {
      const count = counts[what];
      count.attempts++;
      let over = false;
      const end = (how: 'success' | 'failure') => (): void => {
        if (!over) count[how]++;
        over = true;
      };
      return { succeeded: end('success'), failed: end('failure') };
    },
    attributes() {
      const all: Record<string, number> = {};
      for (const [what, { attempts, success, failure }] of Object.entries(counts)) {
        all[`${what}-startup-attempts-total`] = attempts;
        all[`${what}-startup-success-total`] = success;
        all[`${what}-startup-failure-total`] = failure;
        const over = success + failure;
        all[`${what}-startup-success-percentage`] = over === 0 ? 0 : success / over;
        all[`${what}-startup-failure-percentage`] = over === 0 ? 0 : failure / over;
      }
      return all;
    },
  };
}
