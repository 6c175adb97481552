/**
 * What the log on Kafka costs: MB/s, records/s and CPU for each record, appending and fetching ready-made batches.
 * `node bench/kafka-log.ts [brokers]`; without brokers it starts one.
 */
import { BatchWriter } from '../runtime/batch/batch-writer.ts';
import { openKafkaLog } from '../runtime/kafka/kafka-log.ts';
import type { Log, OutboundBatch } from '../runtime/ports/log.ts';
import { startKafka } from '../test/services/kafka.ts';

const valueBytes = 400;
const totalRecords = 2_000_000;
const buffersGoingRound = 16;

interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly bytes: number;
}

function batchOf(topic: string, partition: number, batchBytes: number): OutboundBatch {
  const writer = new BatchWriter(new ArrayBuffer(1 << 20));
  const value = Buffer.alloc(valueBytes, 'x');
  const noHeaders = Uint8Array.of(0);
  while (writer.length < batchBytes - 2 * valueBytes) {
    writer.beginRecord(Date.now());
    writer.beginKey();
    writer.endKey(false);
    writer.beginValue();
    writer.out.copy(value);
    writer.endValue(true);
    writer.endRecord(noHeaders);
  }
  return { topic, partition, ...writer.finish() };
}

async function measure(act: () => Promise<number>): Promise<Measured> {
  const start = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  const bytes = await act();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, cpuSeconds: (user + system) / 1e6, bytes };
}

async function append(log: Log, topic: string, partitions: number, batchBytes: number): Promise<number> {
  await using producer = await log.openProducer({ clientId: 'bench' });
  let left = totalRecords;
  let bytes = 0;
  let next = 0;
  const send = async (): Promise<void> => {
    let batch = batchOf(topic, next++ % partitions, batchBytes);
    while (left > 0) {
      left -= batch.records;
      bytes += batch.length;
      const [appended] = await producer.append([batch]);
      if (appended === undefined) throw new Error('nothing was appended');
      batch = { ...batch, buffer: appended.buffer, partition: next++ % partitions };
    }
  };
  await Promise.all(Array.from({ length: buffersGoingRound }, send));
  return bytes;
}

async function fetchAll(log: Log, topic: string, partitions: number): Promise<number> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const ends = await log.offsetsAt(all, 'latest');
  await using reader = await log.openReader({
    clientId: 'bench',
    isolation: 'read_committed',
    overrides: { 'max.partition.fetch.bytes': String(4 << 20) },
  });
  reader.assign(await log.offsetsAt(all, 'earliest'));
  let left = ends.reduce((sum, { offset }) => sum + Number(offset), 0);
  let bytes = 0;
  while (left > 0) {
    for (const run of await reader.fetch({ maxWaitMs: 1000, maxBytes: 8 << 20 })) {
      left -= Number(run.nextPosition - run.position);
      bytes += run.length;
    }
  }
  return bytes;
}

function report(what: string, { seconds, cpuSeconds, bytes }: Measured): void {
  const records = bytes / (valueBytes + 9);
  const figures = [
    `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`,
    `${Math.round(records / seconds).toLocaleString('en')} records/s`,
    `${((cpuSeconds / records) * 1e6).toFixed(2)} µs CPU per record`,
    `RSS ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
  ];
  console.log(`${what.padEnd(40)} ${figures.join(', ')}`);
}

await using stack = new AsyncDisposableStack();
const brokers = process.argv[2]?.split(',') ?? stack.use(await startKafka({ private: true })).brokers;
const log = stack.use(await openKafkaLog({ 'bootstrap.servers': brokers.join(',') }));
for (const [partitions, batchBytes] of [
  [1, 700_000],
  [1, 1_000_000],
  [8, 250_000],
  [1, 16_000],
] as const) {
  const topic = `bench-${Date.now()}`;
  await log.createTopics([{ name: topic, partitions }]);
  const name = `${partitions} partition${partitions > 1 ? 's' : ''}, batches of ${batchBytes / 1000} kB`;
  report(`append, ${name}`, await measure(() => append(log, topic, partitions, batchBytes)));
  report(`fetch, ${name}`, await measure(() => fetchAll(log, topic, partitions)));
  await log.deleteTopics([topic]);
}
