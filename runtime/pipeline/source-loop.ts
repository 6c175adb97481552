/**
 * The source side of the flow: poll → transforms → batches → log, and positions committed once what lies before
 * them is in the log. One loop for each task; no broker, no thread in it.
 * Source: org.apache.kafka.connect.runtime.AbstractWorkerSourceTask.
 */
import { RetriableError } from '../api/index.ts';
import type { SourceRecord, Transform } from '../api/index.ts';
import { backoffMs, sleep } from './backoff.ts';
import { Gate } from './gate.ts';
import { SourceOutbox } from './source-outbox.ts';
import type { Loop } from './loop.ts';
import type { SourceParts } from './source-parts.ts';
import { StageError } from './stage-error.ts';

export function sourceLoop(parts: SourceParts, paused: boolean): Loop {
  const { task, chain, encoder, topics, errors, figures, log } = parts;
  const outbox = new SourceOutbox(parts);
  const going = new Gate(!paused);

  async function take(records: readonly SourceRecord[], signal: AbortSignal): Promise<void> {
    const now = Date.now();
    for (const polled of records) {
      let record: SourceRecord | null = polled;
      if (chain !== undefined) record = await transformed(polled, signal);
      if (record !== null) {
        let encoded = tryEncode(record, now);
        while (encoded !== 'encoded' && encoded !== 'skipped') {
          if (encoded === 'unknown-topic') encoder.learn(record.topic, await topics.partitionsOf(record.topic));
          else await outbox.cut();
          encoded = tryEncode(record, now);
        }
        if (encoded === 'encoded') outbox.encoded(polled, record);
        else outbox.dropped(polled);
      } else outbox.dropped(polled);
      if (encoder.pendingBytes >= outbox.cutBytes) await outbox.cut();
    }
    await outbox.pollEnded();
  }

  function tryEncode(record: SourceRecord, now: number): 'encoded' | 'unknown-topic' | 'full' | 'skipped' {
    try {
      return encoder.encode(record, now);
    } catch (error) {
      if (!(error instanceof StageError)) throw error;
      errors.tolerate(error, record);
      return 'skipped';
    }
  }

  async function transformed(polled: SourceRecord, signal: AbortSignal): Promise<SourceRecord | null> {
    const sinceMs = Date.now();
    for (let attempt = 0; ; attempt++) {
      try {
        return (chain as Transform)(polled);
      } catch (error) {
        const failure = new StageError('TRANSFORMATION', error);
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
      if (wanted) going.close();
      else going.open();
    },
    async run(signal) {
      const wake = (): void => going.open();
      signal.addEventListener('abort', wake, { once: true });
      const commits = outbox.commitEvery(parts.flushIntervalMs);
      try {
        while (!signal.aborted) {
          if (!going.isOpen) {
            await outbox.drain();
            await outbox.commit();
            await going.passed();
            continue;
          }
          const records = await outbox.unlessBroken(poll(signal));
          if (records.length > 0) await take(records, signal);
        }
        await outbox.drain();
        await outbox.commit();
      } catch (error) {
        // Stopped while a record waited to be tried again: it comes again after the next start.
        if (signal.aborted && error === signal.reason) {
          await outbox.drain();
          return await outbox.commit();
        }
        // What the log holds already need not come again after a restart.
        await outbox.commit().catch(() => undefined);
        throw error;
      } finally {
        commits.stop();
        signal.removeEventListener('abort', wake);
      }
    },
  };
}
