/** `/connectors/{n}/offsets`. Sources: KIP-875, org.apache.kafka.connect.runtime.Worker.modifyConnectorOffsets. */
import { ConfigError, RetriableError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { withoutSecrets } from '../ports/config-providers.ts';
import { RequestError } from '../ports/herder.ts';
import type { ConnectorOffset, Herder } from '../ports/herder.ts';
import type { ConnectorOffsetStore, ConnectorEntry } from '../ports/stores.ts';
import { overridesOf } from './client-overrides.ts';
import { notFound } from './connector-requests.ts';
import type { HerderOptions, HerderTimes } from './herder-context.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import type { Leadership } from './leadership.ts';
import { sinkGroup } from './sink-group.ts';
import { parseSinkOffsets } from './sink-offsets.ts';
import type { SinkOffset } from './sink-offsets.ts';
import { transactionalId } from './zombie-fencing.ts';
import type { ZombieFencing } from './zombie-fencing.ts';

export type ConnectorOffsets = Pick<Herder, 'offsets' | 'alterOffsets' | 'resetOffsets'>;

type Change = 'altered' | 'reset';

export interface OffsetsParts {
  readonly queue: KeyedQueue;
  readonly leadership: Leadership;
  readonly fencing: ZombieFencing;
  readonly times: HerderTimes;
  readonly find: (name: string) => Promise<ConnectorEntry | undefined>;
  /** Resolves when nothing of the connector is on its way on this worker. */
  readonly settled: (name: string) => Promise<void>;
}

export function createConnectorOffsets(options: HerderOptions, parts: OffsetsParts): ConnectorOffsets {
  const { configStore, offsetStore, pluginHost, configProviders, log, settings } = options;
  const { queue, leadership, fencing, times, find, settled } = parts;

  /** With its tasks gone from the store, and no rebalance, every worker was told to stop them. */
  function stopped(name: string): ConnectorEntry {
    const entry = configStore.get(name);
    if (entry === undefined) throw notFound(name);
    if (entry.target !== 'STOPPED' || entry.tasks.length > 0) throw notStopped(name);
    return entry;
  }

  const isSink = (config: RawConfig): boolean => pluginHost.kindOf(config['connector.class'] ?? '') === 'sink';

  function openOwn(name: string, config: RawConfig): Promise<ConnectorOffsetStore> {
    const exactlyOnce = options.exactlyOnce === 'enabled';
    return offsetStore.forConnector(name, {
      topic: config['offsets.storage.topic'],
      consumer: overridesOf(config, 'consumer'),
      exactlyOnce,
    });
  }

  async function current({ name }: ConnectorEntry, config: RawConfig): Promise<ConnectorOffset[]> {
    if (!isSink(config)) {
      await using store = await openOwn(name, config);
      return [...(await store.all(name))];
    }
    const offsets = await log.groupOffsets(sinkGroup(name, config));
    return offsets.map(({ topic, partition, offset }) => ({
      partition: { kafka_topic: topic, kafka_partition: partition },
      offset: { kafka_offset: offset },
    }));
  }

  /** Offsets change only while nothing runs that would write them again: no task, and no resume meanwhile. */
  function whileStopped(
    name: string,
    change: Change,
    work: (entry: ConnectorEntry, config: RawConfig) => Promise<boolean>,
  ): Promise<string> {
    return queue.run(name, async () => {
      await leadership.required();
      await configStore.readToEnd(times.syncMs);
      stopped(name);
      await settled(name);
      const entry = stopped(name);
      const { config, secrets } = await configProviders.resolve(entry.properties);
      try {
        if (options.exactlyOnce === 'enabled' && !isSink(config)) {
          await fencing.fence(name);
          stopped(name);
        }
        return messageOf(change, await work(entry, config));
      } catch (error) {
        throw requestError(error, name, change, secrets);
      }
    });
  }

  async function alterSink(name: string, config: RawConfig, offsets: readonly SinkOffset[], all: boolean): Promise<boolean> {
    if (!all) await requirePartitions(offsets);
    const handled = await pluginHost.alterSinkOffsets(config, offsets);
    const group = sinkGroup(name, config);
    if (all) await log.deleteGroup(group);
    else await log.alterGroupOffsets(group, offsets);
    return handled;
  }

  async function requirePartitions(offsets: readonly SinkOffset[]): Promise<void> {
    const set = offsets.filter(({ offset }) => offset !== null);
    const topics = await log.describeTopics([...new Set(set.map(({ topic }) => topic))]);
    for (const { topic, partition } of set) {
      const found = topics.find(({ name }) => name === topic);
      if (found !== undefined && partition < found.partitions) continue;
      const there = found === undefined ? 'there is no such topic' : `that topic has partitions 0 to ${found.partitions - 1}`;
      throw new RequestError(400, `The offset of partition ${partition} of topic ${topic} cannot be set: ${there}.`);
    }
  }

  async function alterSource(name: string, config: RawConfig, offsets: readonly ConnectorOffset[]): Promise<boolean> {
    const handled = await pluginHost.alterSourceOffsets(config, offsets);
    await using store = await openOwn(name, config);
    if (options.exactlyOnce !== 'enabled') await store.write(name, offsets);
    else {
      const overrides = overridesOf(config, 'producer');
      await store.write(name, offsets, { transactionalId: transactionalId(settings.workerGroupId, name, 0), overrides });
    }
    return handled;
  }

  return {
    async offsets(name) {
      const entry = await find(name);
      if (entry === undefined) throw notFound(name);
      return current(entry, (await configProviders.resolve(entry.properties)).config);
    },
    async alterOffsets(name, offsets) {
      if (offsets.length === 0) {
        throw new RequestError(400, 'Partitions / offsets need to be provided for an alter offsets request');
      }
      return whileStopped(name, 'altered', (_entry, config) =>
        isSink(config) ? alterSink(name, config, parseSinkOffsets(offsets), false) : alterSource(name, config, offsets),
      );
    },
    resetOffsets: (name) =>
      whileStopped(name, 'reset', async (entry, config) => {
        const forgotten = (await current(entry, config)).map(({ partition }) => ({ partition, offset: null }));
        if (isSink(config)) return alterSink(name, config, parseSinkOffsets(forgotten), true);
        return alterSource(name, config, forgotten);
      }),
  };
}

function messageOf(change: Change, handled: boolean): string {
  if (handled) return `The offsets for this connector have been ${change} successfully`;
  return (
    `The Connect framework-managed offsets for this connector have been ${change} successfully. However, if this connector ` +
    `manages offsets externally, they will need to be manually ${change} in the system that the connector uses.`
  );
}

function notStopped(name: string): RequestError {
  return new RequestError(
    400,
    'Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified ' +
      `connector by issuing a 'PUT' request to the '/connectors/${name}/stop' endpoint`,
  );
}

function requestError(error: unknown, name: string, change: Change, secrets: readonly string[]): unknown {
  if (error instanceof RequestError) return error;
  const message = withoutSecrets(error instanceof Error ? error.message : String(error), secrets);
  if (error instanceof RetriableError) {
    const why =
      `Failed to ${change === 'reset' ? 'reset' : 'alter'} consumer group offsets for connector ${name} either because its tasks ` +
      "haven't stopped completely yet or the connector was resumed before the request could be completed. If the connector is in a " +
      'stopped state, this operation can be safely retried.';
    return new RequestError(500, `${why} ${message}`, { cause: error });
  }
  return new RequestError(error instanceof ConfigError ? 400 : 500, message, { cause: error });
}
