/** What the others could do at best: reading with pg_recvlogical, writing ready-made records, ours and the JVM's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchWriter } from '../runtime/batch/batch-writer.ts';
import { openKafkaLog } from '../runtime/kafka/kafka-log.ts';
import type { OutboundBatch } from '../runtime/ports/log.ts';
import { requireCommand, run } from '../test/services/command.ts';
import { kafkaJars } from '../test/services/kafka.ts';
import { javaCommand } from '../test/services/maven.ts';
import { openSite, publication } from './bench-site.ts';
import { createTopics } from './cluster-topics.ts';
import { count, percent, table } from './part.ts';
import type { PartOptions, PartResult } from './part.ts';
import { cpuSeconds } from './proc.ts';
import { walEnd, walSenderPid } from './tables.ts';

/** About what a change event of `orders` takes, without schemas and with them. */
const valueBytes = { plain: 500, withSchemas: 5_000 };

export async function benchLimits({ rows, say }: PartOptions): Promise<PartResult> {
  const slot = 'limits';
  await using site = await openSite(rows, [slot], say);
  const lines: [what: string, perSecond: string, note: string][] = [];
  const add = (what: string, perSecond: number, note: string): void => {
    say(`${what}: ${count(perSecond)}/s, ${note}`);
    lines.push([what, count(perSecond), note]);
  };
  const reading = await recvlogical(site.database.url, slot);
  add('read: pg_recvlogical, pgoutput to /dev/null', rows / reading.seconds, `WAL sender at ${percent(reading.senderShare)} of a core`);
  const brokers = site.kafka.brokers.join(',');
  for (const [topic, bytes, records] of [
    ['plain', valueBytes.plain, rows],
    ['schemas', valueBytes.withSchemas, Math.round(rows / 5)],
  ] as const) {
    await createTopics(site.kafka.brokers, [
      { topic, partitions: 1 },
      { topic: `${topic}-jvm`, partitions: 1 },
    ]);
    const ours = await append(brokers, topic, bytes, records);
    const rate = (perSecond: number): string => `${Math.round((perSecond * bytes) / 1e6)} MB/s`;
    add(`write: ready-made batches of records of ${bytes} bytes, by our log`, ours, rate(ours));
    const theirs = await producerPerformance(brokers, `${topic}-jvm`, bytes, records);
    add(`write: records of ${bytes} bytes, by kafka-producer-perf-test`, theirs, rate(theirs));
  }
  return {
    lines: [
      '## The limits beside them',
      '',
      `${count(rows)} rows of the same table; the same broker.`,
      '',
      ...table(['what', 'records/s', ''], lines),
    ],
    targets: [],
  };
}

async function recvlogical(url: string, slot: string): Promise<{ seconds: number; senderShare: number }> {
  const options = ['proto_version=1', `publication_names=${publication}`].flatMap((option) => ['-o', option]);
  const end = ['--endpos', await walEnd(url), '--no-loop'];
  const command = await requireCommand('pg_recvlogical', 'postgresql-client');
  const begin = performance.now();
  const child = spawn(command, ['-d', url, '--slot', slot, '--start', '-f', '/dev/null', ...end, ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const closed = once(child, 'close');
  let sender = 0;
  let first: { at: number; cpu: number } | undefined;
  let last = { at: begin, cpu: 0 };
  while (child.exitCode === null && child.signalCode === null) {
    sender ||= (await walSenderPid(url, slot)) ?? 0;
    if (sender !== 0) {
      try {
        last = { at: performance.now(), cpu: cpuSeconds(sender) };
        first ??= last;
      } catch {
        // It ended with its client.
      }
    }
    await sleep(50);
  }
  const [code] = (await closed) as [number | null];
  if (code !== 0) throw new Error(`pg_recvlogical ended with ${code}`);
  const seconds = (performance.now() - begin) / 1000;
  return { seconds, senderShare: first === undefined ? 0 : ((last.cpu - first.cpu) * 1000) / (last.at - first.at) };
}

/** 16 buffers go round, as in a task. */
async function append(brokers: string, topic: string, bytes: number, records: number): Promise<number> {
  await using log = await openKafkaLog({ 'bootstrap.servers': brokers });
  await using producer = await log.openProducer({ clientId: 'bench' });
  let left = records;
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      let batch = batchOf(topic, bytes);
      while (left > 0) {
        left -= batch.records;
        const [appended] = await producer.append([batch]);
        if (appended === undefined) throw new Error('nothing was appended');
        batch = { ...batch, buffer: appended.buffer };
      }
    }),
  );
  return ((records - left) * 1000) / (performance.now() - begin);
}

function batchOf(topic: string, bytes: number): OutboundBatch {
  const writer = new BatchWriter(new ArrayBuffer(1 << 20));
  const value = Buffer.alloc(bytes, 'x');
  const noHeaders = Uint8Array.of(0);
  while (writer.length < 700_000) {
    writer.beginRecord(Date.now());
    writer.beginKey();
    writer.endKey(false);
    writer.beginValue();
    writer.out.copy(value);
    writer.endValue(true);
    writer.endRecord(noHeaders);
  }
  return { topic, partition: 0, ...writer.finish() };
}

async function producerPerformance(brokers: string, topic: string, bytes: number, records: number): Promise<number> {
  const size = ['--num-records', String(records), '--record-size', String(bytes), '--throughput', '-1'];
  const properties = ['--producer-props', `bootstrap.servers=${brokers}`, 'batch.size=262144', 'linger.ms=5'];
  const jars = join(await kafkaJars(), '*');
  const text = await run(await javaCommand(), [
    '-cp',
    jars,
    'org.apache.kafka.tools.ProducerPerformance',
    '--topic',
    topic,
    ...size,
    ...properties,
  ]);
  const found = /records sent, ([\d.]+) records\/sec[^\n]*\n?$/.exec(text.trim());
  if (!found) throw new Error(`kafka-producer-perf-test said: ${text}`);
  return Number(found[1]);
}
