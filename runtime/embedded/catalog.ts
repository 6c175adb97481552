import { randomUUID } from 'node:crypto';

import { DataError, RetriableError } from '../api/index.ts';
import type { TopicPartition } from '../api/index.ts';
import type { TopicSpec } from '../ports/log.ts';
import type { Database } from './database.ts';
import type { Transaction } from './transaction-queue.ts';
import type { TopicConfig } from './topic-config.ts';

export interface Topic {
  readonly id: bigint;
  /** What a later topic of the same name does not share. */
  readonly uuid: string;
  readonly name: string;
  /** As set; {@link withDefaults} adds the rest. */
  readonly config: TopicConfig;
  readonly partitions: readonly Partition[];
  /** Set when it is gone: work on its partitions that goes on in the background stops. */
  deleted: boolean;
}

export interface Partition {
  readonly id: bigint;
  readonly topic: string;
  readonly partition: number;
  /** The first offset that may be read. */
  startOffset: bigint;
  /** What the next record gets: Kafka's high watermark and log end offset in one. */
  nextOffset: bigint;
  /** Up to here the partition has been compacted. */
  cleanedOffset: bigint;
}

/** The topics, in memory: what is in the file, and nothing that is not committed. */
export class Catalog {
  readonly #database: Database;
  readonly #defaultPartitions: number;
  #topics = new Map<string, Topic>();
  #changed: () => void = () => {};

  constructor(database: Database, defaultPartitions: number) {
    this.#database = database;
    this.#defaultPartitions = defaultPartitions;
    this.load();
  }

  /** Calls back after topics came or went. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  /** Reads everything from the file: at the start, and in a process that only reads, after each change. */
  load(): void {
    const partitions = new Map<bigint, Partition[]>();
    const topics = this.#database.statement('SELECT id, uuid, name, config FROM topics WHERE deleted = 0').all();
    for (const { id } of topics) partitions.set(id as bigint, []);
    const names = new Map(topics.map(({ id, name }) => [id as bigint, name as string]));
    const rows = this.#database.statement(
      `SELECT id, topic_id, partition, start_offset, cleaned_offset, max(next_offset,
         coalesce((SELECT max(last_offset) + 1 FROM batches WHERE partition_id = partitions.id), 0)) AS next_offset
       FROM partitions ORDER BY topic_id, partition`,
    );
    for (const row of rows.all()) {
      const topic = names.get(row['topic_id'] as bigint);
      if (topic === undefined) continue;
      partitions.get(row['topic_id'] as bigint)?.push({
        id: row['id'] as bigint,
        topic,
        partition: Number(row['partition']),
        startOffset: row['start_offset'] as bigint,
        nextOffset: row['next_offset'] as bigint,
        cleanedOffset: row['cleaned_offset'] as bigint,
      });
    }
    this.#topics = new Map(
      topics.map(({ id, uuid, name, config }) => [
        name as string,
        {
          id: id as bigint,
          uuid: uuid as string,
          name: name as string,
          config: JSON.parse(config as string) as TopicConfig,
          partitions: partitions.get(id as bigint) ?? [],
          deleted: false,
        },
      ]),
    );
  }

  topics(): IterableIterator<Topic> {
    return this.#topics.values();
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  /** Throws a RetriableError, as Kafka's clients do for UNKNOWN_TOPIC_OR_PARTITION: it may come. */
  existing(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined)
      throw new RetriableError(`embedded log: there is no topic "${name}".`, { hint: 'Create it, or wait until it exists.' });
    return topic;
  }

  find({ topic, partition }: TopicPartition): Partition | undefined {
    return this.#topics.get(topic)?.partitions[partition];
  }

  /** Throws a RetriableError, as {@link existing}. */
  partition(wanted: TopicPartition): Partition {
    const found = this.find(wanted);
    if (found === undefined) throw missing(wanted);
    return found;
  }

  /** The topic and partition to append to; the topic is made when there is none. */
  forAppend(transaction: Transaction, wanted: TopicPartition, autoCreate: boolean): { topic: Topic; partition: Partition } {
    let topic = this.#topics.get(wanted.topic);
    if (topic === undefined) {
      if (!autoCreate) throw missing(wanted);
      topic = this.create(transaction, { name: wanted.topic });
    }
    const partition = topic.partitions[wanted.partition];
    if (partition === undefined) {
      throw new DataError(
        `topic "${wanted.topic}" has ${topic.partitions.length} partitions: a record for partition ${wanted.partition} cannot be stored.`,
      );
    }
    return { topic, partition };
  }

  create(transaction: Transaction, spec: TopicSpec): Topic {
    const asked = spec.partitions ?? -1;
    const count = asked === -1 ? this.#defaultPartitions : asked;
    const config = spec.config ?? {};
    const insert = this.#database.statement('INSERT INTO topics (name, uuid, config, created_ms) VALUES (?, ?, ?, ?)');
    const uuid = randomUUID();
    const id = insert.run(spec.name, uuid, JSON.stringify(config), Date.now()).lastInsertRowid as bigint;
    const insertPartition = this.#database.statement('INSERT INTO partitions (topic_id, partition) VALUES (?, ?)');
    const partitions = Array.from({ length: count }, (_, partition) => ({
      id: BigInt(insertPartition.run(id, partition).lastInsertRowid),
      topic: spec.name,
      partition,
      startOffset: 0n,
      nextOffset: 0n,
      cleanedOffset: 0n,
    }));
    const topic: Topic = { id: BigInt(id), uuid, name: spec.name, config, partitions, deleted: false };
    this.#topics.set(spec.name, topic);
    transaction.onRollback(() => this.#topics.delete(spec.name));
    transaction.onCommit(this.#changed);
    return topic;
  }

  /** Takes the topic out of sight, its positions in groups too. Its batches go in the background. */
  remove(transaction: Transaction, name: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    this.#database.statement('UPDATE topics SET deleted = 1 WHERE id = ?').run(topic.id);
    this.#database.statement('DELETE FROM group_offsets WHERE topic = ?').run(name);
    this.#topics.delete(name);
    topic.deleted = true;
    transaction.onCommit(this.#changed);
    transaction.onRollback(() => {
      this.#topics.set(name, topic);
      topic.deleted = false;
    });
  }
}

function missing({ topic, partition }: TopicPartition): RetriableError {
  return new RetriableError(`embedded log: there is no partition ${partition} of topic "${topic}".`, {
    hint: 'Create the topic, or wait until it exists.',
  });
}
