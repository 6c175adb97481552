/**
 * The offsets of connectors in one topic, or of one in two: its own, which counts, and the worker's, which has what its
 * own lacks and gets a copy. Source: org.apache.kafka.connect.storage.ConnectorOffsetBackingStore (KIP-618).
 */
import { ConfigError } from '../api/index.ts';
import type { Logger, OffsetMap } from '../api/index.ts';
import type { ConnectorOffsetStore, OffsetChange, OffsetWriteOptions, StoredOffset } from '../ports/stores.ts';
import { canonicalPartition, encodeOffsetKey } from './offset-codec.ts';
import type { RawOffset } from './offset-table.ts';
import type { OffsetTransaction, TopicOffsets } from './topic-offsets.ts';

export interface ConnectorOffsetParts {
  readonly primary: TopicOffsets;
  readonly secondary?: TopicOffsets;
  /** The log takes the records and the offsets of a task together. */
  readonly atomic: boolean;
  readonly logger: Pick<Logger, 'warn'>;
  readonly close?: () => Promise<void>;
}

export function connectorOffsetStore({ primary, secondary, atomic, logger, close }: ConnectorOffsetParts): ConnectorOffsetStore {
  let copying: Promise<unknown> = Promise.resolve();

  async function readToEnd(): Promise<void> {
    await Promise.all([primary.readToEnd(), secondary?.readToEnd()]);
  }

  const keyOf = (connector: string, partition: OffsetMap): Buffer | undefined =>
    primary.table.keyOf(connector, partition) ?? secondary?.table.keyOf(connector, partition);

  /** A partition that only the worker's topic knows is written under that key, so that Connect finds it in both. */
  const encode = (connector: string, offsets: readonly OffsetChange[]): RawOffset[] =>
    primary.table.encode(connector, offsets, (partition) => keyOf(connector, partition) ?? encodeOffsetKey(connector, partition));

  /** Never rejects: the connector's own topic has them, and is read first. */
  async function copyTo(target: TopicOffsets, connector: string, offsets: readonly StoredOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    try {
      await target.write(target.table.encode(connector, offsets, (partition) => keyOf(connector, partition)));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      logger.warn(
        `connector ${connector}: its offsets are in ${primary.topic.name}, but could not be copied to ${target.topic.name}, where ` +
          `they stay older until the next copy: ${why}`,
      );
    }
  }

  const store: ConnectorOffsetStore = {
    get topic() {
      return primary.topic;
    },
    get atomicTopic() {
      return atomic ? primary.topic : undefined;
    },
    async read(connector, partitions) {
      await readToEnd();
      return partitions.map((partition) => primary.table.get(connector, partition) ?? secondary?.table.get(connector, partition));
    },
    async all(connector) {
      await readToEnd();
      const found = new Map<string, StoredOffset>();
      for (const table of [secondary?.table, primary.table]) {
        for (const offset of table?.all(connector) ?? []) found.set(canonicalPartition(offset.partition), offset);
      }
      return [...found.values()];
    },
    async keys(connector, partitions) {
      return partitions.map((partition) => keyOf(connector, partition));
    },
    async write(connector, offsets, options = {}) {
      const transaction = transactionOf(connector, options);
      if (secondary === undefined) return primary.write(encode(connector, offsets), transaction);
      // What is forgotten must be gone where one falls back to before it is gone where one looks first (KAFKA-15018).
      const forgotten = offsets.filter(({ offset }) => offset === null);
      await secondary.write(secondary.table.encode(connector, forgotten));
      await primary.write(encode(connector, offsets), transaction);
      const kept = offsets.flatMap(({ partition, offset }) => (offset === null ? [] : [{ partition, offset }]));
      copying = Promise.all([copying, copyTo(secondary, connector, kept)]);
    },
    async [Symbol.asyncDispose]() {
      await copying;
      await close?.();
    },
  };
  if (secondary !== undefined) store.copy = (connector, offsets) => copyTo(secondary, connector, offsets);
  return store;
}

function transactionOf(connector: string, { transactionalId, overrides }: OffsetWriteOptions): OffsetTransaction | undefined {
  if (transactionalId === undefined) return undefined;
  if (transactionalId === '') throw new ConfigError(`connector ${connector}: offsets cannot be written in a transaction without an id.`);
  // The worker decides about these, as it does where the task itself writes.
  const { 'transactional.id': _id, 'enable.idempotence': _idempotence, ...kept } = overrides ?? {};
  return { transactionalId, overrides: kept, clientId: `connector-producer-${connector}-0` };
}
