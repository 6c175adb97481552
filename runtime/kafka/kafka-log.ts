import { ConnectError } from '../api/index.ts';
import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import type {
  GroupOptions,
  Log,
  LogGroup,
  LogProducer,
  LogReader,
  ProducerOptions,
  ReaderOptions,
  TransactionalOptions,
  TransactionalProducer,
} from '../ports/log.ts';
import { createTopics, deleteTopics, describeTopics, topicConfig } from './admin.ts';
import { clientSettings, consumerSettings, groupSettings, networkSettings, producerSettings, refuseSettings } from './client-settings.ts';
import { Cluster } from './cluster.ts';
import { Coordinator } from './coordinator.ts';
import { KafkaGroup } from './group.ts';
import { groupAppends } from './group-appends.ts';
import { clearGroupOffsets, commitGroupOffsets, deleteGroup, fetchGroupOffsets, groupInUse, patienceWithGroupMs } from './group-offsets.ts';
import type { ClientKind } from './known-settings.ts';
import { listOffsets } from './list-offsets.ts';
import { brokerError, codes } from './protocol-error.ts';
import { KafkaProducer } from './producer.ts';
import { newProducerIdentity } from './producer-identity.ts';
import { KafkaReader } from './reader.ts';
import type { Settings } from './setting-values.ts';
import { fenceProducers } from './transaction-fencing.ts';
import { openTransactionalProducer } from './transactional-producer.ts';
import type { OffsetsProducer } from './transactional-producer.ts';
import type { Warn } from './warning.ts';

export interface KafkaLogOptions {
  /** Told of outages that are waited out, and of settings that have no effect here. */
  readonly warn?: Warn;
}

/**
 * The log on Apache Kafka, from 3.5 on. `settings` are the worker's own, as in Connect's file. Rejects with a
 * ConfigError when they cannot work, and with a RetriableError when no broker answers within
 * `default.api.timeout.ms` (the admin clients').
 */
export async function openKafkaLog(settings: Settings, options: KafkaLogOptions = {}): Promise<Log> {
  const { warn = () => {} } = options;
  const log = new KafkaLog(settings, warn);
  const waiting = setTimeout(() => warn(`bootstrap.servers=${settings['bootstrap.servers']}: no broker answers yet; trying on.`), quietMs);
  try {
    await log.clusterId();
    return log;
  } catch (error) {
    await log[Symbol.asyncDispose]();
    throw error;
  } finally {
    clearTimeout(waiting);
  }
}

/** So long a start may be silent. */
const quietMs = 2_000;

class KafkaLog implements Log {
  readonly kind = 'kafka';
  readonly #settings: Settings;
  readonly #warn: Warn;
  readonly #clusters = new Map<string, Cluster>();
  readonly #opened = new Set<LogProducer | LogReader | LogGroup>();
  #closed = false;

  constructor(settings: Settings, warn: Warn) {
    this.#settings = settings;
    this.#warn = warn;
  }

  async clusterId(): Promise<string> {
    const cluster = await this.#admin();
    return cluster.retrying(() => cluster.clusterId());
  }

  async describeTopics(names?: readonly string[]): ReturnType<Log['describeTopics']> {
    return describeTopics(await this.#admin(), names);
  }

  async topicConfig(name: string): ReturnType<Log['topicConfig']> {
    return topicConfig(await this.#admin(), name);
  }

  async createTopics(specs: Parameters<Log['createTopics']>[0]): ReturnType<Log['createTopics']> {
    return createTopics(await this.#admin(), specs);
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    return deleteTopics(await this.#admin(), names);
  }

  async offsetsAt(partitions: readonly TopicPartition[], time: Parameters<Log['offsetsAt']>[1]): Promise<readonly PartitionOffset[]> {
    return listOffsets(await this.#admin(), partitions, time === 'committed' ? 'latest' : time, time === 'committed');
  }

  groupOffsets(groupId: string): Promise<readonly PartitionOffset[]> {
    return this.#onGroup(groupId, (coordinator) => fetchGroupOffsets(coordinator, groupId));
  }

  async alterGroupOffsets(groupId: string, offsets: Parameters<Log['alterGroupOffsets']>[1]): Promise<void> {
    const doing = `group "${groupId}": changing its offsets`;
    const stored = offsets.filter((each): each is PartitionOffset => each.offset !== null);
    const cleared = offsets.filter(({ offset }) => offset === null);
    if (stored.length > 0) {
      await this.#onGroup(groupId, async (coordinator) => {
        const errorCode = await commitGroupOffsets(coordinator, groupId, stored);
        if (errorCode !== codes.none) throw groupInUse(errorCode, groupId, doing) ?? brokerError(errorCode, doing);
      });
    }
    if (cleared.length > 0) await this.#onGroup(groupId, (coordinator) => clearGroupOffsets(coordinator, groupId, cleared));
  }

  deleteGroup(groupId: string): Promise<void> {
    return this.#onGroup(groupId, (coordinator) => deleteGroup(coordinator, groupId));
  }

  async openProducer({ clientId, overrides }: ProducerOptions): Promise<LogProducer> {
    const settings = clientSettings('producer', this.#settings, overrides);
    const own = producerSettings(settings);
    const cluster = await this.#cluster('producer', settings);
    const name = settings['client.id'] ?? clientId;
    return this.#keep(new KafkaProducer(cluster, name, own, await newProducerIdentity(cluster, name), this.#warn));
  }

  async openTransactionalProducer(options: TransactionalOptions): Promise<TransactionalProducer> {
    return this.#keep(await this.#transactions(options));
  }

  async #transactions({ transactionalId, clientId, overrides }: TransactionalOptions): Promise<OffsetsProducer> {
    const settings = clientSettings('producer', this.#settings, overrides);
    const own = producerSettings(settings);
    const cluster = await this.#cluster('producer', settings);
    const names = { transactionalId, clientId: settings['client.id'] ?? clientId, timeoutMs: own.transactionTimeoutMs };
    return openTransactionalProducer(cluster, names, own, this.#warn);
  }

  async fenceProducers(transactionalIds: readonly string[]): Promise<void> {
    return fenceProducers(await this.#admin(), transactionalIds, this.#warn);
  }

  async openReader({ clientId, isolation, overrides }: ReaderOptions): Promise<LogReader> {
    const settings = clientSettings('consumer', this.#settings, overrides);
    const given = consumerSettings(settings);
    // Looking at a topic is no reason to create it.
    const own = { ...given, isolation: isolation ?? given.isolation, autoCreateTopics: false };
    return this.#keep(new KafkaReader(await this.#cluster('consumer', settings), settings['client.id'] ?? clientId, own));
  }

  async openGroup(options: GroupOptions): Promise<LogGroup> {
    const settings = clientSettings('consumer', this.#settings, options.overrides);
    const given = consumerSettings(settings);
    const own = { ...given, isolation: options.isolation ?? given.isolation };
    const named = { ...options, clientId: settings['client.id'] ?? options.clientId };
    const { appends } = options;
    const membership = groupSettings(settings);
    const cluster = await this.#cluster('consumer', settings);
    // Opened now: a transaction that an earlier member left open would hold up the reading of the group's offsets.
    const ready = appends === undefined ? undefined : await groupAppends(() => this.#transactions(appends));
    return this.#keep(new KafkaGroup(cluster, named, own, membership, this.#warn, ready));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#opened].map((each) => each[Symbol.asyncDispose]()));
    this.#opened.clear();
    for (const cluster of this.#clusters.values()) cluster.close();
  }

  #keep<T extends LogProducer | LogReader | LogGroup>(opened: T): T {
    this.#opened.add(opened);
    const dispose = opened[Symbol.asyncDispose].bind(opened);
    opened[Symbol.asyncDispose] = () => {
      this.#opened.delete(opened);
      return dispose();
    };
    return opened;
  }

  #admin(): Promise<Cluster> {
    return this.#cluster('admin', clientSettings('admin', this.#settings));
  }

  /** Clients that reach the brokers in the same way share what is known of them. */
  async #cluster(kind: ClientKind, settings: Settings): Promise<Cluster> {
    refuseSettings(kind, settings);
    const network = await networkSettings(settings);
    if (this.#closed) throw new ConnectError('the log was closed.');
    let cluster = this.#clusters.get(network.identity);
    if (cluster === undefined) {
      cluster = new Cluster(network, this.#settings['client.id'] ?? `millrace-${kind}`);
      this.#clusters.set(network.identity, cluster);
    }
    return cluster;
  }

  /** With retries: a group's coordinator may move, or still be loading. */
  async #onGroup<T>(groupId: string, act: (coordinator: Coordinator) => Promise<T>): Promise<T> {
    const cluster = await this.#admin();
    const coordinator = new Coordinator(cluster, 'millrace-admin', groupId);
    try {
      return await cluster.retrying(() => act(coordinator), patienceWithGroupMs);
    } finally {
      await coordinator.forget();
    }
  }
}
