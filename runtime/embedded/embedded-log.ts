import { ConfigError, RetriableError } from '../api/index.ts';
import type { Logger } from '../api/index.ts';
import { readRecords } from '../batch/record-reader.ts';
import type { Log, OffsetTime, TopicSpec } from '../ports/log.ts';
import { createBatchStore } from './batch-store.ts';
import { Catalog } from './catalog.ts';
import type { Partition } from './catalog.ts';
import { openDatabase } from './database.ts';
import type { Synchronous } from './database.ts';
import { createGroupOffsets } from './group-offsets.ts';
import { createGroups } from './groups.ts';
import { startMaintenance } from './maintenance.ts';
import { PartitionCursors } from './partition-cursors.ts';
import { openProducer } from './producer.ts';
import { openReader } from './reader.ts';
import { checkTopicConfig, checkTopicName, withDefaults } from './topic-config.ts';
import { TransactionQueue } from './transaction-queue.ts';
import { watchFile } from './watch-file.ts';
import { createWakeUps } from './wake-ups.ts';

export interface EmbeddedLogOptions {
  /** Reads while another process, or none, writes. Everything that would write rejects with a ConfigError. */
  readonly readOnly?: boolean;
  /** `full` (default): an append that was answered outlives a power cut. `normal`: the last moments may go then. */
  readonly synchronous?: Synchronous;
  /** Of a topic that does not say; 1, as Kafka's `num.partitions`. */
  readonly defaultPartitions?: number;
  /** Appending makes the topic; true, as Kafka's `auto.create.topics.enable`. */
  readonly autoCreateTopics?: boolean;
  /** Between runs of retention and compaction; 30 s. */
  readonly maintenanceIntervalMs?: number;
  readonly log?: Pick<Logger, 'warn'>;
  /** The time, for retention; in milliseconds since 1970. */
  readonly now?: () => number;
}

export interface EmbeddedLog extends Log {
  /** Retention and compaction now, rather than when their time comes. */
  tidyUp(): Promise<void>;
}

/**
 * Opens the log that lives in this directory, in one SQLite file, `millrace.db`; makes it where there is none.
 * One process writes at a time: throws a ConfigError when another has the directory, or it cannot be written.
 * Everything runs in the calling thread.
 */
export async function openEmbeddedLog(directory: string, options: EmbeddedLogOptions = {}): Promise<EmbeddedLog> {
  const { readOnly = false, synchronous = 'full', defaultPartitions = 1, autoCreateTopics = true, now = Date.now } = options;
  const warn = (message: string): void => options.log?.warn(message);
  const database = openDatabase(directory, { readOnly, synchronous });
  const catalog = new Catalog(database, defaultPartitions);
  const store = createBatchStore(database);
  const offsets = createGroupOffsets(database);
  const watcher = readOnly ? watchFile(database, changed) : undefined;
  const wakeUps = createWakeUps(watcher?.watch);
  const queue = new TransactionQueue(database, { committed: wakeUps.notify, warn });
  const groups = createGroups({ catalog, store, offsets, queue, wakeUps, autoCreateTopics, now });
  const maintenance = startMaintenance(
    { database, catalog, queue, now, warn },
    readOnly ? undefined : (options.maintenanceIntervalMs ?? 30_000),
  );
  const open = new Set<AsyncDisposable>();
  let closed = false;
  catalog.onChange(() => groups.topicsChanged());

  function changed(): void {
    catalog.load();
    wakeUps.notify();
  }

  /** Memory is as the file is. */
  function refresh(): void {
    if (closed) throw new RetriableError('embedded log: it is closed.');
    watcher?.check();
  }

  function requireWritable(doing: string): void {
    refresh();
    if (readOnly) throw new ConfigError(`embedded log: ${doing} is not possible, ${directory} was opened for reading.`);
  }

  /** Closes it with the log. */
  function keep<T extends AsyncDisposable>(opened: T): T {
    const kept: T = {
      ...opened,
      async [Symbol.asyncDispose]() {
        open.delete(kept);
        await opened[Symbol.asyncDispose]();
      },
    };
    open.add(kept);
    return kept;
  }

  function offsetAt(partition: Partition, time: OffsetTime): bigint {
    if (time === 'earliest') return partition.startOffset;
    if (time === 'latest' || time === 'committed') return partition.nextOffset;
    for (const body of store.since(partition, time.timestampMs)) {
      const records = readRecords(Buffer.from(body.buffer, body.byteOffset, body.byteLength), body.length, partition.startOffset);
      const found = records.find((record) => record.timestamp >= time.timestampMs);
      if (found !== undefined) return found.offset;
    }
    return partition.nextOffset;
  }

  return {
    kind: 'embedded',

    async clusterId() {
      refresh();
      return database.statement("SELECT value FROM meta WHERE key = 'cluster.id'").get()?.['value'] as string;
    },

    async describeTopics(names) {
      refresh();
      const topics =
        names === undefined ? [...catalog.topics()] : names.map((name) => catalog.topic(name)).filter((topic) => topic !== undefined);
      return topics.map(({ name, partitions, uuid }) => ({
        name,
        partitions: partitions.length,
        replicationFactor: 1,
        internal: false,
        topicId: uuid,
      }));
    },

    async topicConfig(name) {
      refresh();
      return withDefaults(catalog.existing(name).config);
    },

    async createTopics(specs) {
      requireWritable('creating topics');
      specs.forEach(checkSpec);
      return queue.submit({ doing: 'creating topics in', retryForMs: 30_000 }, (transaction) =>
        specs.flatMap((spec) => (catalog.topic(spec.name) === undefined ? [catalog.create(transaction, spec).name] : [])),
      );
    },

    async deleteTopics(names) {
      requireWritable('deleting topics');
      await queue.submit({ doing: 'deleting topics from', retryForMs: 30_000 }, (transaction) => {
        for (const name of names) catalog.remove(transaction, name);
      });
    },

    async offsetsAt(partitions, time) {
      refresh();
      return partitions.map(({ topic, partition }) => ({
        topic,
        partition,
        offset: offsetAt(catalog.partition({ topic, partition }), time),
      }));
    },

    async groupOffsets(groupId) {
      refresh();
      return offsets.all(groupId);
    },

    async alterGroupOffsets(groupId, positions) {
      requireWritable('altering the offsets of a group');
      await queue.submit({ doing: 'altering offsets in', retryForMs: 30_000 }, () => {
        groups.requireEmpty(groupId);
        for (const each of positions) if (each.offset !== null) catalog.partition(each);
        for (const each of positions) offsets.set(groupId, each, each.offset);
      });
    },

    async deleteGroup(groupId) {
      requireWritable('deleting a group');
      await queue.submit({ doing: 'deleting a group from', retryForMs: 30_000 }, () => {
        groups.requireEmpty(groupId);
        offsets.forget(groupId);
      });
    },

    async openProducer(producerOptions) {
      requireWritable('appending');
      return openProducer({ catalog, store, queue, autoCreateTopics, now }, producerOptions);
    },

    openTransactionalProducer: async ({ transactionalId }) => refuseTransactions(`transactional id "${transactionalId}"`),

    fenceProducers: async (transactionalIds) =>
      refuseTransactions(`fencing the transactional ids ${transactionalIds.map((id) => `"${id}"`).join(', ')}`),

    async openReader({ clientId, overrides }) {
      refresh();
      const cursors = new PartitionCursors(catalog, store, { outOfRange: 'reject', checkCrcs: overrides?.['check.crcs'] !== 'false' });
      return keep(openReader({ clientId, cursors, wakeUps, refresh }));
    },

    async openGroup(groupOptions) {
      requireWritable('joining a group');
      return keep(groups.open(groupOptions));
    },

    tidyUp() {
      requireWritable('tidying up');
      return maintenance.run();
    },

    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      for (const each of [...open]) await each[Symbol.asyncDispose]();
      await maintenance[Symbol.asyncDispose]();
      await queue.close();
      watcher?.[Symbol.dispose]();
      database[Symbol.dispose]();
    },
  };
}

function refuseTransactions(doing: string): never {
  throw new ConfigError(`embedded log: ${doing}: there are no transactional producers here; each append is a transaction by itself.`, {
    hint: 'Set exactly.once.source.support=disabled, or use Kafka.',
  });
}

function checkSpec({ name, partitions = -1, config = {} }: TopicSpec): void {
  checkTopicName(name);
  checkTopicConfig(name, config);
  if (Number.isInteger(partitions) && (partitions === -1 || partitions > 0)) return;
  throw new ConfigError(`topic "${name}": ${partitions} partitions are not possible.`, {
    hint: 'Ask for 1 or more, or for -1, the default.',
  });
}
