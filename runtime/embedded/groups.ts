import { ConfigError, RetriableError } from '../api/index.ts';
import type { TopicPartition } from '../api/index.ts';
import type { GroupOptions, LogGroup } from '../ports/log.ts';
import { ConsumerGroup } from './consumer-group.ts';
import type { GroupOffsets } from './group-offsets.ts';
import { joinGroup } from './group-member.ts';
import { checkBatch, storeBatch } from './producer.ts';
import type { ProducerSurroundings } from './producer.ts';
import { PartitionCursors } from './partition-cursors.ts';
import type { WakeUps } from './wake-ups.ts';

export interface GroupsSurroundings extends ProducerSurroundings {
  readonly offsets: GroupOffsets;
  readonly wakeUps: WakeUps;
}

/** The consumer groups of this process. */
export interface Groups extends AsyncDisposable {
  open(options: GroupOptions): LogGroup;
  topicsChanged(): void;
  /** Throws a RetriableError while the group has members. */
  requireEmpty(groupId: string): void;
}

export function createGroups(surroundings: GroupsSurroundings): Groups {
  const { catalog, store, offsets, queue, wakeUps } = surroundings;
  const groups = new Map<string, ConsumerGroup>();
  const members = new Set<LogGroup>();

  function groupOf(groupId: string): ConsumerGroup {
    const group = groups.get(groupId) ?? new ConsumerGroup(catalog);
    groups.set(groupId, group);
    return group;
  }

  return {
    open(options) {
      const { groupId } = options;
      const reset = resetPolicy(options);
      const group = groupOf(groupId);
      const cursors = new PartitionCursors(catalog, store, {
        outOfRange: reset === 'none' ? 'reject' : reset,
        checkCrcs: options.overrides?.['check.crcs'] !== 'false',
      });
      const startOf = (partition: TopicPartition) => {
        const committed = offsets.get(groupId, partition);
        if (committed !== undefined) return { ...partition, offset: committed };
        const { startOffset, nextOffset } = catalog.partition(partition);
        if (reset === 'none') {
          throw new ConfigError(
            `group ${groupId}: no offset is stored for ${partition.topic}/${partition.partition}, and auto.offset.reset is none.`,
          );
        }
        return { ...partition, offset: reset === 'earliest' ? startOffset : nextOffset };
      };
      const member = joinGroup(
        {
          group,
          cursors,
          wakeUps,
          startOf,
          store: async (positions, batches) => {
            const checked = batches.map((batch) => checkBatch(batch, Infinity));
            const bytes = batches.reduce((sum, { length }) => sum + length, 0);
            await queue.submit({ doing: 'committing offsets to', bytes, retryForMs: 60_000 }, (transaction) => {
              for (const each of checked) storeBatch(surroundings, transaction, each);
              for (const each of positions) {
                catalog.partition(each);
                offsets.set(groupId, each, each.offset);
              }
            });
          },
        },
        options,
      );
      const open: LogGroup = {
        ...member,
        async [Symbol.asyncDispose]() {
          members.delete(open);
          await member[Symbol.asyncDispose]();
          if (group.size === 0 && groups.get(groupId) === group) groups.delete(groupId);
        },
      };
      members.add(open);
      return open;
    },

    topicsChanged() {
      for (const group of groups.values()) group.topicsChanged();
    },

    requireEmpty(groupId) {
      const size = groups.get(groupId)?.size ?? 0;
      if (size === 0) return;
      throw new RetriableError(`group ${groupId} has ${size} members: its offsets cannot be changed now.`, {
        hint: 'Stop the connector first.',
      });
    },

    async [Symbol.asyncDispose]() {
      for (const member of [...members]) await member[Symbol.asyncDispose]();
    },
  };
}

/** Connect starts sinks at the earliest record, unlike a plain consumer. */
function resetPolicy(options: GroupOptions): 'earliest' | 'latest' | 'none' {
  const value = options.overrides?.['auto.offset.reset'] ?? 'earliest';
  if (value === 'earliest' || value === 'latest' || value === 'none') return value;
  throw new ConfigError(`group ${options.groupId}: auto.offset.reset is "${value}"; it can be earliest, latest or none.`);
}
