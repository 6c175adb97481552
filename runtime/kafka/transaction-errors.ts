import { ConfigError, RetriableError } from '../api/index.ts';
import type { ConnectError } from '../api/index.ts';
import { FencedError } from '../ports/log.ts';
import type { ProduceResult } from './produce-request.ts';
import { judge } from './producer-errors.ts';
import type { Verdict } from './producer-errors.ts';
import type { Outgoing } from './producer-partition.ts';
import { brokerError, codeName, codes } from './protocol-error.ts';

/** What errors say of a transactional producer. */
export interface TransactionNames {
  readonly transactionalId: string;
  readonly clientId: string;
  readonly timeoutMs: number;
}

const fencing: ReadonlySet<number> = new Set([codes.producerFenced, codes.invalidProducerEpoch]);

/** The transaction is lost, but not the producer: after an abort, under a new epoch, it goes on (KIP-360, KIP-890). */
const abortable: ReadonlySet<number> = new Set([
  codes.invalidProducerIdMapping,
  codes.invalidTxnState,
  codes.transactionAbortable,
  codes.outOfOrderSequence,
  codes.unknownProducerId,
]);

export function describeTransaction({ transactionalId, clientId }: TransactionNames): string {
  return `transactional id "${transactionalId}" (producer "${clientId}")`;
}

/** The ConnectError that an answer to a transactional producer stands for: `doing` says what we asked for. */
export function transactionError(names: TransactionNames, errorCode: number, doing: string, said?: string | null): ConnectError {
  const what = `${describeTransaction(names)}: ${doing}`;
  if (fencing.has(errorCode)) {
    // Brokers tell both in the same way: on a timeout the coordinator fences the producer, then aborts (KIP-98).
    const message = `${what}: the broker answered ${codeName(errorCode)}: another producer with this id has taken over, or the coordinator aborted the transaction, which took longer than transaction.timeout.ms=${names.timeoutMs}.`;
    const hint = 'What was not committed is not seen by anybody; if no other producer has this id, raise transaction.timeout.ms.';
    return Object.assign(new FencedError(message, { hint }), { code: codeName(errorCode) });
  }
  if (errorCode === codes.invalidTransactionTimeout) {
    return new ConfigError(
      `transaction.timeout.ms: ${describeTransaction(names)}: the brokers do not allow ${names.timeoutMs} ms (INVALID_TRANSACTION_TIMEOUT).`,
      { hint: 'Lower it, or raise transaction.max.timeout.ms of the brokers.' },
    );
  }
  if (abortable.has(errorCode)) {
    return Object.assign(
      new RetriableError(`${what}: the broker answered ${codeName(errorCode)}${said ? ` (${said})` : ''}; the transaction is lost.`),
      {
        code: codeName(errorCode),
      },
    );
  }
  return Object.assign(brokerError(errorCode, what, said), { code: codeName(errorCode) });
}

const forGood: ReadonlySet<string | undefined> = new Set(
  [codes.transactionalIdAuthorizationFailed, codes.clusterAuthorizationFailed, codes.unsupportedVersion].map(codeName),
);

/** Whether the producer cannot go on after this, not even with an abort. */
export function breaksForGood(error: unknown): boolean {
  return error instanceof FencedError || forGood.has((error as NodeJS.ErrnoException).code);
}

/** As {@link judge}; with `names`, for a batch of a transaction. */
export function judgeIn(
  names: TransactionNames | undefined,
  clientId: string,
  outgoing: Outgoing,
  result: ProduceResult | undefined,
): Verdict {
  const verdict = judge(clientId, outgoing, result);
  if (names === undefined || result === undefined || verdict.kind === 'appended') return verdict;
  const { batch } = outgoing;
  const doing = `topic "${batch.topic}", partition ${batch.partition}: appending ${batch.records} records`;
  const error = transactionError(names, result.errorCode, doing, result.errorMessage);
  if (error instanceof FencedError || breaksForGood(error)) return { kind: 'refused', error };
  if (verdict.kind === 'stateLost') return { kind: 'stateLost', error };
  return abortable.has(result.errorCode) ? { kind: 'refused', error } : verdict;
}
