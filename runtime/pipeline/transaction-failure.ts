/** What a task with transactions fails with, in words that say what became of its records. */
import { ConnectError } from '../api/index.ts';
import { FencedError } from '../ports/log.ts';
import type { Transactions } from './transaction-parts.ts';

type Named = Pick<Transactions, 'task' | 'transactionalId'>;

export function sendFailure(error: unknown, named: Named): Error {
  return (
    fenced(error, named) ??
    new ConnectError(`${named.task}: the log did not take the records: ${messageOf(error)}. ${restarted}`, { cause: error })
  );
}

/** An error that says it all already (an append that failed before the commit) is returned as it is. */
export function commitFailure(error: unknown, named: Named): Error {
  return (
    fenced(error, named) ??
    new ConnectError(`${named.task}: Failed to flush offsets and/or records: ${messageOf(error)}. ${restarted}`, { cause: error })
  );
}

const restarted = 'Nothing of the open transaction counts; after a restart the task reads on from the last committed offsets.';

function fenced(error: unknown, { task, transactionalId }: Named): FencedError | undefined {
  if (!(error instanceof FencedError)) return undefined;
  return new FencedError(
    `${task}: another instance of it has taken over, since a producer with its transactional id "${transactionalId}" was opened, or that ` +
      'id was fenced. What this one had not committed counts nowhere, and the other instance reads it again.',
    {
      cause: error,
      hint:
        'Nothing is to be done where another worker runs the task. Where none does, its transaction was open for too long: restart the task, and ' +
        'raise producer.override.transaction.timeout.ms, or set transaction.boundary=poll.',
    },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}
