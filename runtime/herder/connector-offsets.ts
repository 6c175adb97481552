/** `/connectors/{n}/offsets`. Sources: KIP-875, org.apache.kafka.connect.runtime.Worker.modifyConnectorOffsets. */
import { ConfigError, RetriableError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { withoutSecrets } from '../ports/config-providers.ts';
import { RequestError } from '../ports/herder.ts';
import type { ConnectorOffset, Herder } from '../ports/herder.ts';
import type { ConnectorEntry } from '../ports/stores.ts';
import { notFound } from './connector-requests.ts';
import type { HerderOptions } from './herder-context.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import { sinkGroup } from './sink-group.ts';
import { parseSinkOffsets } from './sink-offsets.ts';
import type { SinkOffset } from './sink-offsets.ts';

export type ConnectorOffsets = Pick<Herder, 'offsets' | 'alterOffsets' | 'resetOffsets'>;

type Change = 'altered' | 'reset';

export function createConnectorOffsets(
  options: HerderOptions,
  queue: KeyedQueue,
  settled: (name: string) => Promise<void>,
): ConnectorOffsets {
  const { configStore, offsetStore, pluginHost, configProviders, log } = options;

  function entryOf(name: string): ConnectorEntry {
    const entry = configStore.get(name);
    if (entry === undefined) throw notFound(name);
    return entry;
  }

  const isSink = (config: RawConfig): boolean => pluginHost.kindOf(config['connector.class'] ?? '') === 'sink';

  async function current({ name }: ConnectorEntry, config: RawConfig): Promise<ConnectorOffset[]> {
    if (!isSink(config)) return [...(await offsetStore.all(name))];
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
      const entry = entryOf(name);
      if (entry.target !== 'STOPPED') throw notStopped(name);
      await settled(name);
      if (configStore.get(name)?.target !== 'STOPPED') throw notStopped(name);
      const { config, secrets } = await configProviders.resolve(entry.properties);
      try {
        return messageOf(change, await work(entry, config));
      } catch (error) {
        throw requestError(error, name, change, secrets);
      }
    });
  }

  async function alterSink(name: string, config: RawConfig, offsets: readonly SinkOffset[], all: boolean): Promise<boolean> {
    const handled = await pluginHost.alterSinkOffsets(config, offsets);
    const group = sinkGroup(name, config);
    if (all) await log.deleteGroup(group);
    else await log.alterGroupOffsets(group, offsets);
    return handled;
  }

  async function alterSource(name: string, config: RawConfig, offsets: readonly ConnectorOffset[]): Promise<boolean> {
    const handled = await pluginHost.alterSourceOffsets(config, offsets);
    await offsetStore.write(name, offsets);
    return handled;
  }

  return {
    async offsets(name) {
      const entry = entryOf(name);
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
