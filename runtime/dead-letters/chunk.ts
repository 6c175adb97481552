/** Letters that are written together: their records, and what the ledger keeps of them. */
import type { TopicPartition } from '../api/index.ts';
import type { AppendedBatch, OutboundBatch } from '../ports/log.ts';
import { ledgerTopic } from '../ports/dead-letters.ts';
import type { LedgerEntry, LetterOutcome, LetterPlace } from '../ports/dead-letters.ts';
import type { Destination } from './destinations.ts';
import { encodeEntry, encodeKey } from './ledger-entry.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import { createOutgoing } from './outgoing.ts';
import type { OffsetIn, Outgoing, OutgoingRecord } from './outgoing.ts';

export interface ChunkParts {
  /** The dead-letter topic, and its id. */
  readonly topic: string;
  readonly topicId: string;
  /** Undefined for a dry run. */
  readonly writer: LedgerWriter | undefined;
  /** Told of each letter once its chunk is stored, in order. */
  done(outcome: LetterOutcome): void;
}

export interface Chunks {
  /** Only the ledger hears of it. */
  note(place: LetterPlace, entry: LedgerEntry): Promise<void>;
  /** Throws a DataError for a record that is too large; then nothing was added. */
  send(place: LetterPlace, record: OutgoingRecord, to: Destination, entry: LedgerEntry): Promise<void>;
  /** Resolves when all is stored. */
  flush(): Promise<void>;
}

/** Without the record's bytes: they are views of a whole fetch. */
interface Line {
  readonly place: LetterPlace;
  readonly entry: LedgerEntry;
  readonly sent: { readonly to: TopicPartition; readonly offsetIn: OffsetIn } | undefined;
}

/** So much is one transaction. */
const fullBytes = 2 << 20;
const fullLines = 1_000;
const ledgerBatchBytes = 512 * 1024;

export function createChunks({ topic, topicId, writer, done }: ChunkParts): Chunks {
  let outgoing: Outgoing = createOutgoing();
  let lines: Line[] = [];

  function entryOf({ entry, sent }: Line, appended: readonly AppendedBatch[] | undefined): LedgerEntry {
    return sent === undefined ? entry : { ...entry, to: { ...sent.to, ...(appended && { offset: sent.offsetIn(appended) }) } };
  }

  function ledgerBatches(of: readonly Line[], appended: readonly AppendedBatch[] | undefined): readonly OutboundBatch[] {
    const ledger = createOutgoing();
    for (const line of of) {
      const key = encodeKey({ topic, topicId, ...line.place });
      const entry = entryOf(line, appended);
      ledger.add(
        { topic: ledgerTopic(topic), partition: 0, key, value: encodeEntry(entry), headers: [], timestampMs: entry.atMs },
        ledgerBatchBytes,
      );
    }
    return ledger.finish();
  }

  async function flush(): Promise<void> {
    const written = lines;
    const records = outgoing.finish();
    lines = [];
    outgoing = createOutgoing();
    if (written.length === 0) return;
    let offsets: readonly AppendedBatch[] | undefined;
    await writer?.write(records, (appended) => {
      offsets = appended;
      return ledgerBatches(written, appended);
    });
    for (const line of written) {
      const { state, to, by, error } = entryOf(line, offsets);
      const outcome = { ...line.place, outcome: state };
      done({ ...outcome, ...(to && { to }), ...(by && { by }), ...(error !== undefined && { reason: error }) });
    }
  }

  async function add(line: Line): Promise<void> {
    lines.push(line);
    if (lines.length >= fullLines || outgoing.bytes >= fullBytes) await flush();
  }

  return {
    note: ({ partition, offset }, entry) => add({ place: { partition, offset }, entry, sent: undefined }),
    async send({ partition, offset }, record, { maxBatchBytes }, entry) {
      const offsetIn = outgoing.add(record, maxBatchBytes);
      await add({ place: { partition, offset }, entry, sent: { to: { topic: record.topic, partition: record.partition }, offsetIn } });
    },
    flush,
  };
}
