/** Writes resubmitted records and what the ledger keeps of them, in one: both, or neither. */
import { RetriableError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import type { AppendedBatch, Log, LogProducer, OutboundBatch, TransactionalProducer } from '../ports/log.ts';
import { FencedError } from '../ports/log.ts';
import { RequestError } from '../ports/herder.ts';

export interface LedgerWriter extends AsyncDisposable {
  /**
   * `entries` makes the ledger's batches: once the new offsets are known, or without them where all is one write; there they
   * are written again with the offsets. Rejects with a RequestError when another worker has taken over, or when it is not
   * known whether it was stored: the ledger knows, for whoever asks again.
   */
  write(records: readonly OutboundBatch[], entries: (appended?: readonly AppendedBatch[]) => readonly OutboundBatch[]): Promise<void>;
}

export interface LedgerWriterOptions {
  readonly log: Log;
  readonly clientId: string;
  /** The same for all who resubmit letters of a topic: whoever opens it last is the only one who can write. */
  readonly transactionalId: string;
  readonly overrides: RawConfig;
}

/** Nobody who opened one before can write after it resolves, and what they wrote is decided. */
export async function openLedgerWriter({ log, clientId, transactionalId, overrides }: LedgerWriterOptions): Promise<LedgerWriter> {
  // On the embedded log there is one process, and an append is stored whole.
  if (log.kind === 'embedded') return inOneWrite(await log.openProducer({ clientId, overrides }));
  return inTransactions(await log.openTransactionalProducer({ clientId, transactionalId, overrides }));
}

function inOneWrite(producer: LogProducer): LedgerWriter {
  return {
    async write(records, entries) {
      const ledger = entries();
      const appended = await producer.append([...records, ...ledger]);
      if (records.length > 0) await producer.append(entries(appended.slice(0, records.length)));
    },
    [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose](),
  };
}

function inTransactions(producer: TransactionalProducer): LedgerWriter {
  return {
    async write(records, entries) {
      try {
        const appended = records.length === 0 ? [] : await producer.append(records);
        await producer.append(entries(appended));
      } catch (error) {
        if (error instanceof FencedError) throw takenOver(error);
        await producer.abortTransaction().catch(() => {});
        throw error;
      }
      await committed(producer);
    },
    [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose](),
  };
}

const commitTries = 3;

async function committed(producer: TransactionalProducer): Promise<void> {
  for (let left = commitTries - 1; ; left--) {
    try {
      return await producer.commitTransaction();
    } catch (error) {
      if (error instanceof FencedError) throw takenOver(error);
      if (!(error instanceof RetriableError)) throw error;
      if (left > 0) continue;
      throw new RequestError(
        500,
        `It is not known whether the last of these letters were resubmitted: ${error.message} Ask again: the ledger knows, and none is resubmitted twice.`,
        { cause: error },
      );
    }
  }
}

function takenOver(cause: FencedError): RequestError {
  return new RequestError(409, 'Another worker has begun to resubmit letters of this topic. Ask again: what was done is in the ledger.', {
    cause,
  });
}
