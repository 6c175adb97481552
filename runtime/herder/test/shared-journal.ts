/** A journal in memory that several stores share, as workers share a topic. */
import { RetriableError } from '../../api/index.ts';
import { FencedError } from '../../ports/log.ts';
import type { ApplyRecords, Journal, JournalRecord, NewRecord } from '../../stores/journal.ts';

export interface SharedJournal {
  /** One store's view of it. `exclusive`: as with exactly-once sources, only the last who claimed may write as the leader. */
  open(options?: { readonly exclusive?: boolean }): Journal;
  /** Keys and values, in order. */
  readonly written: string[];
  /** Set: every write and read rejects with it. */
  broken: Error | undefined;
  /** Set: writes wait for it. */
  held: Promise<void> | undefined;
}

export function sharedJournal(): SharedJournal {
  const records: JournalRecord[] = [];
  const readers = new Set<() => void>();
  let claimant: symbol | undefined;
  const shared: SharedJournal = {
    written: [],
    broken: undefined,
    held: undefined,
    open({ exclusive = false } = {}) {
      let apply: ApplyRecords | undefined;
      let position = 0;
      const me = Symbol('writer');
      const read = (replay = false): void => {
        const next = records.slice(position);
        position = records.length;
        if (next.length > 0) apply?.(next, replay);
      };
      const append = async (added: readonly NewRecord[]): Promise<void> => {
        await shared.held;
        if (shared.broken !== undefined) throw shared.broken;
        for (const { key, value } of added) {
          const valueBytes = value === null ? null : Buffer.from(value);
          records.push({ key: Buffer.from(key), value: valueBytes, timestampMs: Date.now(), offset: BigInt(records.length) });
          shared.written.push(`${Buffer.from(key).toString()} ${valueBytes?.toString() ?? 'null'}`);
        }
        read();
        // The others read it a little later.
        for (const reader of readers) setImmediate(reader);
      };
      const reader = (): void => read();
      return {
        async start(onRecords) {
          apply = onRecords;
          read(true);
          readers.add(reader);
        },
        write: append,
        async readToEnd() {
          await Promise.resolve();
          if (shared.broken !== undefined) throw shared.broken;
          read();
        },
        ...(exclusive && {
          exclusive: {
            async claim() {
              claimant = me;
            },
            async write(added) {
              if (claimant !== me) throw new RetriableError('another worker leads now', { cause: new FencedError('fenced') });
              await append(added);
            },
          },
        }),
        async [Symbol.asyncDispose]() {
          readers.delete(reader);
          apply = undefined;
        },
      };
    },
  };
  return shared;
}
