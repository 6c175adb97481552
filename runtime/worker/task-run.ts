import type { Loop } from '../pipeline/loop.ts';

/** A task that is ready to run; disposing closes the connector and what it has open on the log. */
export interface TaskRun extends AsyncDisposable {
  readonly loop: Loop;
}
