import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import type { Database } from './database.ts';

/** Where groups stand. */
export interface GroupOffsets {
  all(groupId: string): readonly PartitionOffset[];
  get(groupId: string, partition: TopicPartition): bigint | undefined;
  /** null clears. */
  set(groupId: string, partition: TopicPartition, offset: bigint | null): void;
  forget(groupId: string): void;
}

export function createGroupOffsets(database: Database): GroupOffsets {
  return {
    all(groupId) {
      const rows = database.statement('SELECT topic, partition, next_offset FROM group_offsets WHERE group_id = ?').all(groupId);
      return rows.map((row) => ({
        topic: row['topic'] as string,
        partition: Number(row['partition']),
        offset: row['next_offset'] as bigint,
      }));
    },
    get(groupId, { topic, partition }) {
      const select = database.statement('SELECT next_offset FROM group_offsets WHERE group_id = ? AND topic = ? AND partition = ?');
      return select.get(groupId, topic, partition)?.['next_offset'] as bigint | undefined;
    },
    set(groupId, { topic, partition }, offset) {
      if (offset === null) {
        database.statement('DELETE FROM group_offsets WHERE group_id = ? AND topic = ? AND partition = ?').run(groupId, topic, partition);
      } else {
        database
          .statement('INSERT OR REPLACE INTO group_offsets (group_id, topic, partition, next_offset, committed_ms) VALUES (?, ?, ?, ?, ?)')
          .run(groupId, topic, partition, offset, Date.now());
      }
    },
    forget(groupId) {
      database.statement('DELETE FROM group_offsets WHERE group_id = ?').run(groupId);
    },
  };
}
