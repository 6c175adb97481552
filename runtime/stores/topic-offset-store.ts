import { ConfigError, RetriableError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import type { ConnectorOffsetStore, OffsetStore } from '../ports/stores.ts';
import { connectorOffsetStore } from './connector-offset-store.ts';
import { openTopicOffsets } from './topic-offsets.ts';
import type { TopicOffsets, TopicOffsetsOptions } from './topic-offsets.ts';

/** A connector's own topic, shared by those who use it at the same time, and read it by the same settings. */
interface OwnTopic {
  readonly offsets: TopicOffsets;
  readonly started: Promise<void>;
  users: number;
}

/**
 * Source offsets on Connect's `offset.storage.topic` (25 partitions where it is created), and on the
 * `offsets.storage.topic` of single connectors, which are created by the same settings. Tasks may write there
 * themselves, so every read goes to the topic's end first.
 */
export function topicOffsetStore(options: TopicOffsetsOptions): OffsetStore {
  const global = openTopicOffsets(options);
  const own = new Map<string, OwnTopic>();
  const { logger, log } = options;
  const atomic = log.kind === 'embedded';

  async function open(topic: string, key: string, consumer: RawConfig, exactlyOnce: boolean): Promise<OwnTopic> {
    let opened = own.get(key);
    if (opened === undefined) {
      // Source: org.apache.kafka.connect.runtime.Worker.regularSourceOffsetsConsumerConfigs and exactlyOnceSource….
      const uncommitted = !exactlyOnce && consumer['isolation.level']?.trim() === 'read_uncommitted';
      const isolation = uncommitted ? 'read_uncommitted' : 'read_committed';
      const offsets = openTopicOffsets({ ...options, topic, isolation, consumerOverrides: consumer });
      own.set(key, (opened = { offsets, started: offsets.start(), users: 0 }));
    }
    opened.users++;
    try {
      await opened.started;
      return opened;
    } catch (error) {
      await leave(key, opened);
      throw error;
    }
  }

  async function leave(key: string, opened: OwnTopic): Promise<void> {
    if (--opened.users > 0) return;
    if (own.get(key) === opened) own.delete(key);
    await opened.offsets[Symbol.asyncDispose]();
  }

  const worker = connectorOffsetStore({ primary: global, atomic, logger });

  return {
    ...worker,
    // A spread would read them now, before they are known.
    get topic() {
      return worker.topic;
    },
    get atomicTopic() {
      return worker.atomicTopic;
    },
    start: () => global.start(),
    async forConnector(connector, { topic = '', consumer = {}, exactlyOnce = false }): Promise<ConnectorOffsetStore> {
      if (topic.trim() === '' || topic.trim() === global.topic.name) return connectorOffsetStore({ primary: global, atomic, logger });
      const name = topic.trim();
      const key = JSON.stringify([name, exactlyOnce, Object.entries(consumer).toSorted()]);
      const opened = await open(name, key, consumer, exactlyOnce).catch((cause: unknown) => {
        const why = cause instanceof Error ? cause.message : String(cause);
        const error = `connector ${connector}: offsets.storage.topic=${name} cannot be used: ${why}`;
        throw cause instanceof RetriableError ? new RetriableError(error, { cause }) : new ConfigError(error, { cause });
      });
      return connectorOffsetStore({ primary: opened.offsets, secondary: global, atomic, logger, close: () => leave(key, opened) });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...own.values()].map(({ offsets }) => offsets[Symbol.asyncDispose]()));
      await global[Symbol.asyncDispose]();
    },
  };
}
