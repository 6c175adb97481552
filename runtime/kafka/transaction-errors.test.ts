import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, RetriableError } from '../api/index.ts';
import { FencedError } from '../ports/log.ts';
import { codes } from './protocol-error.ts';
import type { Outgoing } from './producer-partition.ts';
import { breaksForGood, judgeIn, transactionError } from './transaction-errors.ts';

const names = { transactionalId: 'group-orders-0', clientId: 'orders', timeoutMs: 1234 };
const outgoing = { batch: { topic: 't', partition: 3, records: 2, length: 99, buffer: new ArrayBuffer(0) } } as Outgoing;
const answer = (errorCode: number) => ({ topic: 't', partition: 3, errorCode, errorMessage: null, baseOffset: 7n });

describe('what the brokers answer to a transactional producer', () => {
  for (const code of ['producerFenced', 'invalidProducerEpoch'] as const) {
    test(`${code}: fenced for good, in words for both causes`, () => {
      const error = transactionError(names, codes[code], 'committing');
      assert.ok(error instanceof FencedError);
      assert.ok(breaksForGood(error));
      assert.match(error.message, /"group-orders-0".*another producer.*or the coordinator aborted.*transaction\.timeout\.ms=1234/);
    });
  }

  test('INVALID_TRANSACTION_TIMEOUT: a ConfigError that begins with the key', () => {
    const error = transactionError(names, codes.invalidTransactionTimeout, 'asking for a producer id');
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /^transaction\.timeout\.ms: .*1234/);
  });

  test('no right to the id: for good', () => {
    const error = transactionError(names, codes.transactionalIdAuthorizationFailed, 'committing');
    assert.ok(error instanceof ConfigError);
    assert.ok(breaksForGood(error));
  });

  for (const code of ['transactionAbortable', 'invalidTxnState', 'invalidProducerIdMapping'] as const) {
    test(`${code}: the transaction is lost, the producer is not`, () => {
      const error = transactionError(names, codes[code], 'committing');
      assert.ok(error instanceof RetriableError);
      assert.ok(!breaksForGood(error));
    });
  }
});

describe('the answer to a batch', () => {
  test('a stale epoch means another id without a transaction, and the end within one', () => {
    assert.equal(judgeIn(undefined, 'p', outgoing, answer(codes.invalidProducerEpoch)).kind, 'stateLost');
    const verdict = judgeIn(names, 'p', outgoing, answer(codes.invalidProducerEpoch));
    assert.ok(verdict.kind === 'refused' && verdict.error instanceof FencedError);
  });

  test('what passes passes, what is there is there', () => {
    assert.equal(judgeIn(names, 'p', outgoing, answer(codes.notLeaderOrFollower)).kind, 'again');
    assert.equal(judgeIn(names, 'p', outgoing, answer(codes.notEnoughReplicas)).kind, 'again');
    assert.equal(judgeIn(names, 'p', outgoing, answer(codes.duplicateSequence)).kind, 'appended');
    assert.equal(judgeIn(names, 'p', outgoing, undefined).kind, 'again');
  });

  test('lost sequence numbers and lost transactions spoil the transaction', () => {
    assert.equal(judgeIn(names, 'p', outgoing, answer(codes.outOfOrderSequence)).kind, 'stateLost');
    for (const code of [codes.invalidTxnState, codes.transactionAbortable]) {
      const verdict = judgeIn(names, 'p', outgoing, answer(code));
      assert.ok(verdict.kind === 'refused' && verdict.error instanceof RetriableError);
    }
  });
});
