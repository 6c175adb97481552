import type { Partition, Topic } from './catalog.ts';
import type { Database } from './database.ts';
import { bound } from './topic-config.ts';
import type { TransactionQueue } from './transaction-queue.ts';

export interface RetentionSurroundings {
  readonly database: Database;
  readonly queue: TransactionQueue;
  readonly now: () => number;
}

const stepBatches = 200;
/** Below this the file keeps its free pages for what comes. */
const minFreeBytes = 64 << 20;
const stepPages = 256;

/** Removes the oldest batches: those beyond `retention.ms`, and as many as leave `retention.bytes`. */
export async function retainPartition(surroundings: RetentionSurroundings, topic: Topic, partition: Partition): Promise<void> {
  const { database, queue } = surroundings;
  const expired = BigInt(surroundings.now()) - BigInt(Math.min(bound(topic.config, 'retention.ms'), Number.MAX_SAFE_INTEGER));
  const maxBytes = bound(topic.config, 'retention.bytes');
  let excess = -Infinity;
  if (maxBytes !== Infinity) {
    const sum = database.statement('SELECT coalesce(sum(bytes), 0) AS total FROM batches WHERE partition_id = ?').get(partition.id)?.[
      'total'
    ];
    excess = Number(sum) - maxBytes;
  }
  let isDone = false;
  while (!isDone && !topic.deleted) {
    isDone = await queue.submit({ doing: 'removing old records from' }, (transaction) => {
      if (topic.deleted) return true;
      const oldest = database.statement(
        `SELECT last_offset, bytes, max_timestamp FROM batches WHERE partition_id = ? ORDER BY last_offset LIMIT ${stepBatches}`,
      );
      let last: bigint | undefined;
      let count = 0;
      let freed = 0;
      for (const row of oldest.iterate(partition.id)) {
        const isExpired = (row['max_timestamp'] as bigint) < expired;
        if (!isExpired && excess - freed < Number(row['bytes'])) break;
        last = row['last_offset'] as bigint;
        freed += Number(row['bytes']);
        count++;
      }
      if (last === undefined) return true;
      removeUpTo(database, partition, last);
      const before = partition.startOffset;
      partition.startOffset = last + 1n;
      transaction.onRollback(() => void (partition.startOffset = before));
      transaction.onCommit(() => void (excess -= freed));
      return count < stepBatches;
    });
  }
}

function removeUpTo(database: Database, partition: Partition, last: bigint): void {
  database.statement('DELETE FROM batches WHERE partition_id = ? AND last_offset <= ?').run(partition.id, last);
  database
    .statement('UPDATE partitions SET start_offset = ?, next_offset = ? WHERE id = ?')
    .run(last + 1n, partition.nextOffset, partition.id);
}

/** Removes what deleted topics have left, a step a turn. */
export async function removeDeletedTopics({ database, queue }: RetentionSurroundings): Promise<void> {
  for (;;) {
    const row = database.statement('SELECT id FROM topics WHERE deleted = 1 LIMIT 1').get();
    if (row === undefined) return;
    const topicId = row['id'] as bigint;
    let isEmpty = false;
    while (!isEmpty) {
      isEmpty = await queue.submit({ doing: 'removing deleted topics from' }, () => {
        const some = database.statement(
          `DELETE FROM batches WHERE id IN (SELECT id FROM batches WHERE partition_id IN (SELECT id FROM partitions WHERE topic_id = ?) LIMIT ${stepBatches})`,
        );
        if (Number(some.run(topicId).changes) > 0) return false;
        database.statement('DELETE FROM partitions WHERE topic_id = ?').run(topicId);
        database.statement('DELETE FROM topics WHERE id = ?').run(topicId);
        return true;
      });
    }
  }
}

/** Gives pages back to the file system once more than half of the file is free. */
export async function shrinkFile({ database, queue }: RetentionSurroundings): Promise<void> {
  const pragma = (name: string): number => Number(database.statement(`PRAGMA ${name}`).get()?.[name]);
  const pageBytes = pragma('page_size');
  for (;;) {
    const free = pragma('freelist_count');
    if (free * pageBytes < minFreeBytes || free < pragma('page_count') / 2) return;
    await queue.submit({ doing: 'shrinking' }, () => database.exec(`PRAGMA incremental_vacuum(${stepPages})`));
  }
}
