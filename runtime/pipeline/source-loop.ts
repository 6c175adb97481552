/**
 * The source side of the flow: poll → transforms → batches → log, and positions committed once what lies before
 * them is in the log. One loop for each task; no broker, no thread in it.
 * Source: org.apache.kafka.connect.runtime.AbstractWorkerSourceTask.
 */
import { ConnectError, RetriableError } from '../api/index.ts';
import type { SourceRecord, Transform } from '../api/index.ts';
import { backoffMs, sleep } from './backoff.ts';
import type { DeadLetter } from './dead-letter.ts';
import { Gate } from './gate.ts';
import { SourceOutbox } from './source-outbox.ts';
import type { Loop } from './loop.ts';
import type { SourceDeadLetters } from './source-dead-letters.ts';
import type { Outbox, SourceParts } from './source-parts.ts';
import { StageError } from './stage-error.ts';
import { TransactionOutbox } from './transaction-outbox.ts';

export function sourceLoop(parts: SourceParts, paused: boolean): Loop {
  const { task, chain, encoder, topics, errors, figures, log, transactions } = parts;
  const outbox: Outbox = transactions === undefined ? new SourceOutbox(parts) : new TransactionOutbox(parts, transactions);
  const going = new Gate(!paused);
  /** Open while nothing is polled. */
  const resting = new Gate(true);

  async function take(records: readonly SourceRecord[], signal: AbortSignal): Promise<void> {
    const now = Date.now();
    for (const polled of records) {
      let record: SourceRecord | null = polled;
      if (chain !== undefined) record = await transformed(polled, signal);
      if (record !== null) {
        let encoded = tryEncode(polled, record, now);
        while (encoded !== 'encoded' && encoded !== 'skipped') {
          if (encoded === 'unknown-topic') await learn(record.topic);
          else await outbox.cut();
          encoded = tryEncode(polled, record, now);
        }
        if (encoded === 'encoded') outbox.encoded(polled, record);
        else await leave(polled);
      } else await leave(polled);
      const ending = outbox.recordTaken?.(polled);
      if (ending !== undefined) await ending;
      if (encoder.pendingBytes >= outbox.cutBytes) await outbox.cut();
    }
    await outbox.pollEnded();
  }

  async function learn(topic: string): Promise<void> {
    // A read of the offsets waits for the transactions that are open on their topic: for the task's own it would wait for ever.
    if (topic === transactions?.offsetsTopic) {
      throw new ConnectError('Source tasks may not produce to their own offsets topics when exactly-once support is enabled');
    }
    encoder.learn(topic, await topics.partitionsOf(topic));
  }

  /** A record that goes nowhere, or to the dead letters: they are in the log before, or with, its position. */
  async function leave(polled: SourceRecord): Promise<void> {
    for (const forms of parts.letters?.drain() ?? []) await bury(forms);
    outbox.dropped(polled);
  }

  async function bury(forms: readonly DeadLetter[]): Promise<void> {
    const { topic } = parts.letters as SourceDeadLetters;
    for (let form = 0; ;) {
      const letter = forms[form];
      if (letter === undefined)
        throw new ConnectError(`a dead letter is too large for topic "${topic.name}", without its key and value as well.`);
      const encoded = encoder.encodeLetter(topic, letter);
      if (encoded === 'encoded') return;
      if (encoded === 'unknown-topic') encoder.learn(topic.name, topic.partitions);
      else if (encoded === 'full') await outbox.cut();
      else form++;
    }
  }

  function tryEncode(polled: SourceRecord, record: SourceRecord, now: number): 'encoded' | 'unknown-topic' | 'full' | 'skipped' {
    try {
      return encoder.encode(record, now);
    } catch (error) {
      // A record that is missing would make the transaction's offsets a lie (Connect lets its producer fail it too).
      if (!(error instanceof StageError) || (transactions !== undefined && error.stage === 'KAFKA_PRODUCE')) throw error;
      errors.tolerate(error, polled);
      return 'skipped';
    }
  }

  async function transformed(polled: SourceRecord, signal: AbortSignal): Promise<SourceRecord | null> {
    const sinceMs = Date.now();
    for (let attempt = 0; ; attempt++) {
      try {
        return (chain as Transform)(polled);
      } catch (error) {
        const failure = error instanceof StageError ? error : new StageError('TRANSFORMATION', error);
        if (await errors.retry(failure, attempt, sinceMs, signal)) continue;
        errors.tolerate(failure, polled);
        return null;
      }
    }
  }

  async function poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const startedMs = performance.now();
        const records = await task.poll(signal);
        if (records.length > 0) {
          figures.add('source-record-poll-total', records.length);
          figures.observe('poll-batch', performance.now() - startedMs, '-time-ms');
          figures.observe('batch-size', records.length);
        }
        return records;
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof RetriableError)) throw error;
        const waitMs = backoffMs(attempt, 100, 10_000);
        log.warn(`poll failed, trying again in ${Math.round(waitMs)} ms: ${error.message}`);
        await sleep(waitMs, signal);
      }
    }
    return [];
  }

  return {
    async setPaused(wanted) {
      if (!wanted) return going.open();
      going.close();
      await resting.passed();
    },
    async run(signal) {
      const wake = (): void => going.open();
      signal.addEventListener('abort', wake, { once: true });
      const commits = outbox.commitEvery(parts.flushIntervalMs);
      try {
        while (!signal.aborted) {
          if (!going.isOpen) {
            resting.open();
            await outbox.settle(false);
            await going.passed();
            continue;
          }
          resting.close();
          const records = await outbox.unlessBroken(poll(signal));
          if (records.length > 0) await take(records, signal);
          const position = task.position?.();
          if (position !== undefined) outbox.moved(position);
          if (records.length === 0 && (position !== undefined || transactions !== undefined)) await outbox.pollEnded();
        }
        await outbox.settle(true);
      } catch (error) {
        // Stopped while a record waited to be tried again: it comes again after the next start.
        if (signal.aborted && error === signal.reason) return await outbox.settle(true);
        await outbox.giveUp();
        throw error;
      } finally {
        commits.stop();
        resting.open();
        signal.removeEventListener('abort', wake);
      }
    },
  };
}
