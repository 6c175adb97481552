/** For tests: workers that run the counting source exactly-once, and readers of what they committed. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { readPartition } from '../../../test/contract/log-fixture.ts';
import { useKafka } from '../../../test/services/share.ts';
import type { Logger, RawConfig } from '../../api/index.ts';
import type { Log } from '../../ports/log.ts';
import type { OffsetStore } from '../../ports/stores.ts';
import type { TaskEvents, TaskId, TaskSpec } from '../../ports/tasks.ts';
import { topicOffsetStore } from '../../stores/topic-offset-store.ts';
import { startLogThread } from '../log-thread-host.ts';
import { createTaskHost } from '../task-host.ts';
import type { WorkerTaskHost } from '../task-host.ts';
import { specOf } from './task-fixture.ts';

const countingSource = fileURLToPath(new URL('./counting-source', import.meta.url));

export interface Worker extends AsyncDisposable {
  readonly log: Log;
  readonly host: WorkerTaskHost;
  readonly offsets: OffsetStore;
  /** `ready`, `running`, `failed: TRACE`, …, and what the source logs, in order. */
  readonly said: string[];
  start(config?: RawConfig): Promise<void>;
}

export const connector = 'count';
export const id: TaskId = { connector, task: 0 };

export interface Cluster {
  readonly topic: string;
  readonly transactionalId: string;
  readonly globalTopic: string;
  readonly ownTopic: string;
  worker(producerReady?: (id: TaskId) => Promise<void>): Promise<Worker>;
}

export async function openCluster(): Promise<Cluster> {
  const { brokers } = await useKafka();
  const group = `eos-${randomUUID().slice(0, 8)}`;
  const topic = `${group}-numbers`;
  const transactionalId = `${group}-${connector}-0`;
  const globalTopic = `${group}-offsets`;

  async function worker(producerReady?: (id: TaskId) => Promise<void>): Promise<Worker> {
    const said: string[] = [];
    const logger: Logger = {
      debug() {},
      info: (message) => void said.push(message),
      warn() {},
      error: (message) => void said.push(message),
    };
    const settings = { 'bootstrap.servers': brokers.join(',') };
    const logThread = await startLogThread({ kind: 'kafka', settings }, logger);
    const { log } = logThread;
    const offsets = topicOffsetStore({ log, topic: globalTopic, partitions: 3, replicationFactor: 1, clientId: group, logger });
    await offsets.start();
    const host = createTaskHost(logThread, offsets, () => logger, {
      unresponsiveAfterMs: 60_000,
      memoryMaxBytes: 128 * 1024 * 1024,
      gracefulTimeoutMs: 20_000,
      task: {
        converters: {
          'key.converter': 'StringConverter',
          'value.converter': 'StringConverter',
          'header.converter': 'SimpleHeaderConverter',
        },
        pluginPath: [countingSource],
        offsetFlushIntervalMs: 60_000,
        topicCreation: true,
        delivery: 'transactions',
      },
    });
    const events: TaskEvents = {
      running: () => void said.push('running'),
      paused: () => void said.push('paused'),
      resumed: () => void said.push('resumed'),
      failed: (_id, trace) => void said.push(`failed: ${trace}`),
      responsive() {},
      topicUsed() {},
      producerReady:
        producerReady ??
        (async () => {
          said.push('ready');
        }),
    };
    return {
      log,
      host,
      offsets,
      said,
      start(config = {}) {
        const spec: TaskSpec = specOf(
          connector,
          { 'connector.class': 'counting-source', topic, ...config },
          { exactlyOnce: { transactionalId } },
        );
        return host.start(spec, events);
      },
      async [Symbol.asyncDispose]() {
        await host[Symbol.asyncDispose]();
        await offsets[Symbol.asyncDispose]();
        await logThread[Symbol.asyncDispose]();
      },
    };
  }

  return { topic, transactionalId, globalTopic, ownTopic: `${group}-own`, worker };
}

/** As a read_committed reader sees the topic, from its beginning to its end. */
export async function committedNumbers(log: Log, topic: string): Promise<number[]> {
  if ((await log.describeTopics([topic])).length === 0) return [];
  return (await readPartition(log, topic, 0, 'read_committed')).map(({ value }) => Number(value));
}

/** `key value` of all committed records of an offsets topic. */
export async function committedOffsets(log: Log, topic: string): Promise<string[]> {
  const [described] = await log.describeTopics([topic]);
  const found: string[] = [];
  for (let partition = 0; partition < (described?.partitions ?? 0); partition++) {
    for (const { key, value } of await readPartition(log, topic, partition, 'read_committed')) found.push(`${key} ${value}`);
  }
  return found;
}

export const offsetOf = (count: number): string => `["count",{"stream":"only","of":"numbers"}] {"count":${count}}`;

export const upTo = (last: number): number[] => Array.from({ length: last }, (_, n) => n + 1);
