/**
 * What the statuses need beyond what each worker says of its own: after each assignment, and every now and then, the
 * leader takes out those of what is deleted, and of what nobody runs. Source: DistributedHerder.updateDeletedTaskStatus.
 */
import type { Assignment } from '../ports/membership.ts';
import type { RunState, RunStatus } from '../ports/stores.ts';
import { messageOf } from './herder-context.ts';
import type { HerderOptions, HerderTimes } from './herder-context.ts';
import type { StatusPublisher } from './status-publisher.ts';

export interface StatusDuties {
  /** Never rejects. Does nothing once another assignment is in force. */
  afterAssignment(now: Assignment): Promise<void>;
}

export interface StatusDutiesParts {
  readonly statuses: StatusPublisher;
  readonly assignment: () => Assignment;
  /** Says again what this worker runs. */
  readonly confirm: () => void;
}

/** What says that something runs somewhere. */
const live: readonly RunState[] = ['RUNNING', 'PAUSED', 'RESTARTING'];

export function createStatusDuties(options: HerderOptions, times: HerderTimes, parts: StatusDutiesParts): StatusDuties {
  const { configStore, statusStore, logger } = options;
  const { statuses, assignment, confirm } = parts;

  function forgetDeleted(): void {
    for (const name of statusStore.connectors()) {
      const entry = configStore.get(name);
      if (entry === undefined) statuses.remove(name);
      else {
        const gone = statusStore.tasks(name).filter((task) => task >= entry.tasks.length);
        for (const task of gone) statuses.removeTask({ connector: name, task });
      }
    }
  }

  /** In the name of the worker that is gone, so that it shows which one. */
  function unassign({ unassigned, generation }: Assignment): void {
    const lost = (status: RunStatus | undefined): RunStatus | undefined =>
      status !== undefined && live.includes(status.state) ? { ...status, state: 'UNASSIGNED', trace: null, generation } : undefined;
    for (const name of unassigned?.connectors ?? []) {
      const status = lost(statusStore.connector(name));
      if (status !== undefined) statuses.putConnector(name, status);
    }
    for (const id of unassigned?.tasks ?? []) {
      const status = lost(statusStore.task(id));
      if (status !== undefined) statuses.putTask(id, status);
    }
  }

  return {
    async afterAssignment(now) {
      try {
        await statusStore.readToEnd(times.syncMs);
      } catch (error) {
        return logger.warn(`the statuses could not be read to their end, and are left as they are for now: ${messageOf(error)}`);
      }
      if (assignment().generation !== now.generation) return;
      if (now.leader) {
        forgetDeleted();
        unassign(now);
      }
      confirm();
    },
  };
}
