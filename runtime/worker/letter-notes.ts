/** Tells the ledger what became, in the target, of dead letters that were resubmitted straight to this task's sink. */
import type { Logger, RawConfig, SinkTaskContext } from '../api/index.ts';
import { BatchWriter, encodeHeaders } from '../batch/batch-writer.ts';
import { originalOf } from '../pipeline/original-record.ts';
import { overtakenNote } from '../ports/letter-notes.ts';
import type { LetterNote } from '../ports/letter-notes.ts';
import type { Log, LogProducer } from '../ports/log.ts';

export interface LetterNotesOptions {
  readonly log: Log;
  readonly connector: string;
  readonly clientId: string;
  /** Of the producer. */
  readonly overrides: RawConfig;
  readonly logger: Pick<Logger, 'warn'>;
}

export interface LetterNotes extends AsyncDisposable {
  readonly overtaken: SinkTaskContext['overtaken'];
}

const roomBytes = 256;
/** Not for ever: the task waits for it. */
const deliveryTimeoutMs = '60000';

/** Rare, so that its producer is opened when the first is said. */
export function letterNotes({ log, connector, clientId, overrides, logger }: LetterNotesOptions): LetterNotes {
  const { 'transactional.id': _id, ...own } = overrides;
  let producer: Promise<LogProducer> | undefined;
  let warned = false;

  async function write({ topic, key, value }: LetterNote): Promise<void> {
    // Written to blindly, a broker might make one that is not compacted.
    if ((await log.describeTopics([topic])).length === 0) return;
    producer ??= log.openProducer({ clientId, overrides: { 'delivery.timeout.ms': deliveryTimeoutMs, ...own } });
    const writer = new BatchWriter(new ArrayBuffer(key.length + value.length + roomBytes));
    writer.add(Date.now(), key, value, encodeHeaders([]));
    await (await producer).append([{ topic, partition: 0, ...writer.finish() }]);
  }

  async function closed(): Promise<void> {
    const opened = await producer?.catch(() => undefined);
    producer = undefined;
    await opened?.[Symbol.asyncDispose]();
  }

  return {
    async overtaken(record, reason) {
      const original = record.resubmitted === undefined ? undefined : originalOf(record);
      if (original === undefined) return;
      const { topic, partition, offset, headers } = original;
      const note = overtakenNote(headers, { topic, partition, offset }, connector, reason);
      if (note === undefined) return;
      try {
        await write(note);
      } catch (error) {
        await closed();
        // The data is as it should be, and the log has said so: no reason to fail the task.
        if (!warned) {
          logger.warn(
            `topic ${note.topic} could not be told that resubmitted dead letters are overtaken in the target, where they stay "resubmitted": ${String((error as Error).message)}`,
          );
        }
        warned = true;
      }
    },
    [Symbol.asyncDispose]: closed,
  };
}
