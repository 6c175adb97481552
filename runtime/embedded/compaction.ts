import { crc32c } from '@platformatic/wasm-utils';

import { filterBatch, sketchRecords } from '../batch/batch-filter.ts';
import { readBatchHeader, stampCrc } from '../batch/batch-header.ts';
import type { BatchHeader } from '../batch/batch-header.ts';
import type { Partition, Topic } from './catalog.ts';
import type { Database } from './database.ts';
import { bound, setting } from './topic-config.ts';
import type { TransactionQueue } from './transaction-queue.ts';

export interface CompactionSurroundings {
  readonly database: Database;
  readonly queue: TransactionQueue;
  readonly now: () => number;
}

/** Steps are short: each is one turn of the log thread. */
const stepBatches = 500;
const stepBytes = 1 << 20;
/** Bounds the memory of a pass: what lies beyond waits for the next one. */
const maxKeys = 1_000_000;

interface Row {
  readonly id: bigint;
  readonly last_offset: bigint;
  readonly tombstones_ms: bigint | null;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Compacts a partition, if enough of it is new: the newest record of each key stays, a tombstone for
 * `delete.retention.ms` more after it was compacted. Records without a key stay. Offsets do not change, and
 * the newest batch is not touched. Source: org.apache.kafka.storage.internals.log.Cleaner.
 */
export async function compactPartition(surroundings: CompactionSurroundings, topic: Topic, partition: Partition): Promise<void> {
  const { queue } = surroundings;
  const nowMs = surroundings.now();
  const end = compactUpTo(surroundings, topic, partition, nowMs);
  if (end === undefined) return;
  const newest = new Map<string, bigint>();
  let mapped = partition.cleanedOffset - 1n;
  while (mapped < end && newest.size < maxKeys && !topic.deleted) {
    const rows = readRows(surroundings.database, partition, mapped + 1n, end);
    if (rows.length === 0) break;
    for (const row of rows) {
      const { bytes, header } = batchOf(row);
      for (const { key, offset } of sketchRecords(bytes, header)) if (key !== null) newest.set(key.toString('latin1'), offset);
      mapped = row.last_offset;
    }
    await queue.turn();
  }

  const tombstonesBefore = nowMs - bound(topic.config, 'delete.retention.ms');
  let next = partition.startOffset;
  while (next <= mapped && !topic.deleted) {
    next = await queue.submit({ doing: 'compacting', bytes: stepBytes }, () => {
      const rows = topic.deleted ? [] : readRows(surroundings.database, partition, next, mapped);
      for (const row of rows) rewrite(surroundings.database, row, newest, { nowMs, tombstonesBefore });
      return (rows.at(-1)?.last_offset ?? mapped) + 1n;
    });
  }
  await queue.submit({ doing: 'compacting' }, (transaction) => {
    if (topic.deleted) return;
    surroundings.database.statement('UPDATE partitions SET cleaned_offset = ? WHERE id = ?').run(mapped + 1n, partition.id);
    transaction.onCommit(() => void (partition.cleanedOffset = mapped + 1n));
  });
}

/** The last offset to compact; undefined when it is not worth it yet. */
function compactUpTo({ database }: CompactionSurroundings, topic: Topic, partition: Partition, nowMs: number): bigint | undefined {
  const { id, cleanedOffset, nextOffset } = partition;
  let limit = nextOffset - 1n;
  const lagMs = bound(topic.config, 'min.compaction.lag.ms');
  if (lagMs > 0) {
    const young = database.statement(
      'SELECT min(last_offset) AS first FROM batches WHERE partition_id = ? AND last_offset >= ? AND max_timestamp > ?',
    );
    const first = young.get(id, cleanedOffset, BigInt(nowMs - lagMs))?.['first'] as bigint | null;
    if (first !== null && first < limit) limit = first;
  }
  const last = database.statement('SELECT max(last_offset) AS last FROM batches WHERE partition_id = ? AND last_offset < ?');
  const end = last.get(id, limit)?.['last'] as bigint | null;
  if (end === null) return undefined;

  const due = BigInt(nowMs - bound(topic.config, 'delete.retention.ms'));
  const dueTombstones = database.statement('SELECT 1 FROM batches WHERE partition_id = ? AND tombstones_ms <= ? LIMIT 1');
  if (dueTombstones.get(id, due) !== undefined) return end;

  const sums = database.statement(
    'SELECT coalesce(sum(bytes), 0) AS total, coalesce(sum(bytes) FILTER (WHERE last_offset >= ?), 0) AS dirty FROM batches WHERE partition_id = ? AND last_offset <= ?',
  );
  const { total, dirty } = sums.get(cleanedOffset, id, end) as { total: bigint; dirty: bigint };
  if (dirty === 0n) return undefined;
  return Number(dirty) / Number(total) >= Number(setting(topic.config, 'min.cleanable.dirty.ratio')) ? end : undefined;
}

function readRows(database: Database, partition: Partition, from: bigint, to: bigint): Row[] {
  const rows: Row[] = [];
  let bytes = 0;
  const select = database.statement(
    'SELECT id, last_offset, tombstones_ms, body FROM batches WHERE partition_id = ? AND last_offset BETWEEN ? AND ? ORDER BY last_offset',
  );
  for (const row of select.iterate(partition.id, from, to) as unknown as Iterable<Row>) {
    rows.push(row);
    bytes += row.body.length;
    if (bytes >= stepBytes || rows.length >= stepBatches) break;
  }
  return rows;
}

function batchOf(row: Row): { bytes: Buffer; header: BatchHeader } {
  const bytes = Buffer.from(row.body.buffer, row.body.byteOffset, row.body.byteLength);
  const header = readBatchHeader(bytes, 0);
  if (header === undefined) throw new RangeError(`the batch that ends at offset ${row.last_offset} is cut short`);
  return { bytes, header };
}

function rewrite(
  database: Database,
  row: Row,
  newest: ReadonlyMap<string, bigint>,
  times: { nowMs: number; tombstonesBefore: number },
): void {
  const { bytes, header } = batchOf(row);
  const isDue = row.tombstones_ms !== null && Number(row.tombstones_ms) <= times.tombstonesBefore;
  const { kept, tombstones, batch } = filterBatch(bytes, header, ({ key, offset, tombstone }) => {
    if (key === null) return true;
    const last = newest.get(key.toString('latin1'));
    return (last === undefined || last <= offset) && !(tombstone && isDue);
  });
  if (kept === 0) {
    database.statement('DELETE FROM batches WHERE id = ?').run(row.id);
    return;
  }
  const since = tombstones ? (row.tombstones_ms ?? BigInt(times.nowMs)) : null;
  if (batch !== undefined) {
    stampCrc(batch, batch.length, crc32c);
    database.statement('UPDATE batches SET body = ?, bytes = ?, tombstones_ms = ? WHERE id = ?').run(batch, batch.length, since, row.id);
  } else if (since !== row.tombstones_ms) {
    database.statement('UPDATE batches SET tombstones_ms = ? WHERE id = ?').run(since, row.id);
  }
}
