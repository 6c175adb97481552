import type { Partition } from './catalog.ts';
import type { Database } from './database.ts';

export interface StoredBatch {
  readonly baseOffset: bigint;
  readonly lastOffset: bigint;
  readonly maxTimestamp: number;
  readonly body: Uint8Array;
}

/** Whole batches back to back, in an ArrayBuffer of their own. */
export interface StoredRun {
  readonly buffer: ArrayBuffer;
  readonly length: number;
  readonly lastOffset: bigint;
}

export interface ReadRoom {
  readonly maxBytes: number;
  /** The first batch comes even where it is larger. */
  readonly atLeastOne: boolean;
}

/** The rows of record batches. Offsets are found by the last one of each batch, so a position in its midst finds it. */
export interface BatchStore {
  insert(partition: Partition, batch: StoredBatch): void;
  /** From the batch that holds `position` on: as many as there is room for. 'no room': not even for one; undefined: there is none. */
  read(partition: Partition, position: bigint, room: ReadRoom): StoredRun | 'no room' | undefined;
  /** The batches that have, or had before compaction, a record at or after this time. */
  since(partition: Partition, timestampMs: number): Iterable<Uint8Array>;
}

export function createBatchStore(database: Database): BatchStore {
  const insert = database.statement(
    'INSERT INTO batches (partition_id, base_offset, last_offset, max_timestamp, bytes, body) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const sizes = database.statement(
    'SELECT last_offset, bytes FROM batches WHERE partition_id = ? AND last_offset >= ? ORDER BY last_offset',
  );
  const bodies = database.statement('SELECT body FROM batches WHERE partition_id = ? AND last_offset BETWEEN ? AND ? ORDER BY last_offset');
  const since = database.statement(
    'SELECT body FROM batches WHERE partition_id = ? AND last_offset >= ? AND max_timestamp >= ? ORDER BY last_offset',
  );
  return {
    insert(partition, { baseOffset, lastOffset, maxTimestamp, body }) {
      insert.run(partition.id, baseOffset, lastOffset, maxTimestamp, body.length, body);
    },

    read(partition, position, { maxBytes, atLeastOne }) {
      // Sizes stand in the index: how much fits is known before a body is read.
      let lastOffset = -1n;
      let length = 0;
      for (const row of sizes.iterate(partition.id, position)) {
        const bytes = Number(row['bytes']);
        if (length + bytes > maxBytes && (length > 0 || !atLeastOne)) {
          if (length === 0) return 'no room';
          break;
        }
        lastOffset = row['last_offset'] as bigint;
        length += bytes;
      }
      if (length === 0) return undefined;
      const rows = bodies.all(partition.id, position, lastOffset) as unknown as { body: Uint8Array<ArrayBuffer> }[];
      const [first] = rows;
      // A single body is an ArrayBuffer of its own already.
      if (rows.length === 1 && first?.body.buffer.byteLength === length) return { buffer: first.body.buffer, length, lastOffset };
      const joined = new Uint8Array(new ArrayBuffer(length));
      let at = 0;
      for (const { body } of rows) {
        joined.set(body, at);
        at += body.length;
      }
      return { buffer: joined.buffer, length: at, lastOffset };
    },

    *since(partition, timestampMs) {
      for (const row of since.iterate(partition.id, partition.startOffset, BigInt(Math.ceil(timestampMs)))) yield row['body'] as Uint8Array;
    },
  };
}
