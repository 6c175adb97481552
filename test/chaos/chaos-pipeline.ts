/** A worker that moves a table's changes into a topic and on into a file; it can be killed. */
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import type { PostgresAddress } from '../services/postgres.ts';
import { changeOf } from './change.ts';
import type { Change } from './change.ts';
import { sourceConfig } from './source-config.ts';
import { table } from './row-load.ts';
import { embeddedTopicReader, kafkaTopicReader } from './topic-reader.ts';
import type { TopicReader } from './topic-reader.ts';

export interface ChaosPipeline extends AsyncDisposable {
  readonly worker: MillraceServer;
  readonly topic: string;
  readonly reader: TopicReader;
  /** Starts the worker again, over the same data. */
  restart(): Promise<void>;
  /** Tasks and connectors that do not run, and why; nothing when all is well. */
  troubles(): Promise<string[]>;
  readFile(): FileContent;
  fileBytes(): number;
}

export interface FileContent {
  readonly changes: Change[];
  readonly tombstones: number;
  /** Lines that a kill cut short; the next line stands on the same one. */
  readonly torn: number;
}

export interface PipelineOptions {
  readonly postgres: PostgresAddress;
  /** Left out: the embedded log. */
  readonly brokers?: readonly string[];
  readonly partitions?: number;
  readonly source?: Readonly<Record<string, string>>;
}

const stringConverter = 'org.apache.kafka.connect.storage.StringConverter';

export async function startPipeline(options: PipelineOptions): Promise<ChaosPipeline> {
  const { postgres, brokers, partitions = 2 } = options;
  const id = `chaos_${randomBytes(4).toString('hex')}`;
  const topic = `${id}.${table}`;
  const worker = await startMillrace(brokers === undefined ? {} : { brokers });
  const file = join(worker.folder, 'items.txt');

  const source = sourceConfig(id, postgres, {
    'snapshot.mode': 'initial',
    'topic.creation.default.partitions': String(partitions),
    ...options.source,
  });
  const sink = {
    'connector.class': 'FileStreamSink',
    topics: topic,
    file,
    'key.converter': stringConverter,
    'value.converter': stringConverter,
    // A killed member of the group is mourned so long before its partitions go to the next one.
    'consumer.override.session.timeout.ms': '6000',
  };
  const connectors = { [`${id}_source`]: source, [`${id}_sink`]: sink };
  const put = async (): Promise<void> => {
    for (const [name, config] of Object.entries(connectors)) await worker.put(name, config);
  };
  await put();

  return {
    worker,
    topic,
    reader: brokers === undefined ? embeddedTopicReader(join(worker.folder, 'log')) : kafkaTopicReader(brokers),
    async restart() {
      await worker.restart();
      // Standalone on Kafka keeps configs in memory, as Connect does; on the embedded log they are still there.
      if (brokers !== undefined) await put();
    },
    async troubles() {
      const states = await Promise.all(Object.keys(connectors).map(async (name) => ({ name, status: await worker.status(name) })));
      return states.flatMap(({ name, status: { connector, tasks } }) =>
        [connector, ...tasks].filter(({ state }) => state === 'FAILED').map(({ trace }) => `${name}: ${trace ?? 'FAILED'}`),
      );
    },
    readFile: () => contentOf(readFileSync(file)),
    fileBytes: () => statSync(file, { throwIfNoEntry: false })?.size ?? 0,
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}

function contentOf(bytes: Buffer): FileContent {
  const changes: Change[] = [];
  let tombstones = 0;
  let torn = 0;
  for (const line of linesOf(bytes)) {
    if (line === '') continue;
    const whole = line.slice(Math.max(0, line.lastIndexOf('{"before"')));
    if (whole !== line) torn++;
    if (whole.endsWith('null')) tombstones++;
    else changes.push(changeOf(whole));
  }
  return { changes, tombstones, torn };
}

/** Not by one string of it all, which may be longer than strings can be. */
function* linesOf(bytes: Buffer): Generator<string> {
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    yield bytes.toString('utf8', start, end);
    start = end + 1;
  }
}
