/** Restarts of failed tasks that come by themselves. */
import type { Logger } from '../api/index.ts';
import type { TaskId } from '../ports/tasks.ts';
import { taskName } from './herder-context.ts';
import { restartTimers } from './restart-timers.ts';
import type { Failure, RestartTimers } from './restart-timers.ts';

export type TaskFailure = Failure;
export type TaskRestarts = RestartTimers<TaskId>;

/** `due` is called when the time has come, unless it was cancelled. */
export function createTaskRestarts(due: (id: TaskId) => void, logger: Logger): TaskRestarts {
  return restartTimers({
    due,
    logger,
    nameOf: (id) => `task ${taskName(id)}`,
    pathOf: ({ connector, task }) => `/connectors/${encodeURIComponent(connector)}/tasks/${task}/restart`,
  });
}
