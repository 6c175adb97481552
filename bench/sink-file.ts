/**
 * Records/s from one Kafka topic into a file: our sink against Kafka Connect's own FileStreamSink, with the same connector
 * JSON, in one run, each in a process of its own. `node bench/sink-file.ts [records]`; it starts the broker.
 */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startConnect } from '../test/services/connect.ts';
import { kcat } from '../test/services/kcat.ts';
import { startKafka } from '../test/services/kafka.ts';
import { startMillrace } from '../test/services/millrace.ts';
import { putConnector } from './cluster-worker.ts';
import { cpuSeconds, peakRssBytes } from './proc.ts';

const records = Number(process.argv[2] ?? 2_000_000);
const lineBytes = 400;
/** A JVM compiles for tens of seconds: the clock starts after these. */
const warmUp = Math.round(records / 3);
const topic = 'lines';
const perCall = 50_000;
const timeoutMs = 600_000;

interface Worker extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

interface Figures {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly peakRss: number;
  readonly digest: string;
}

const lineOf = (n: number): string => `{"id":${n},"text":"`.padEnd(lineBytes - 3, 'x') + '"}\n';

async function fill(brokers: readonly string[]): Promise<void> {
  for (let from = 0; from < records; from += perCall) {
    const lines = Array.from({ length: Math.min(perCall, records - from) }, (_, i) => lineOf(from + i)).join('');
    await kcat(['-b', brokers.join(','), '-P', '-t', topic, '-p', '0', '-X', 'queue.buffering.max.kbytes=400000'], lines);
  }
}

async function reached(file: string, bytes: number, deadline: number): Promise<{ at: number; size: number }> {
  for (;;) {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size >= bytes) return { at: performance.now(), size };
    if (performance.now() > deadline) throw new Error(`${file} has ${size} of ${bytes} bytes in the time allowed`);
    await sleep(20);
  }
}

async function measure(worker: Worker, file: string, name: string): Promise<Figures> {
  const text = 'org.apache.kafka.connect.storage.StringConverter';
  await putConnector(worker.url, name, {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    topics: topic,
    file,
    'key.converter': text,
    'value.converter': text,
  });
  const deadline = performance.now() + timeoutMs;
  const first = await reached(file, warmUp * lineBytes, deadline);
  const cpu = cpuSeconds(worker.pid);
  const last = await reached(file, records * lineBytes, deadline);
  const moved = (last.size - first.size) / lineBytes;
  return {
    perSecond: (moved * 1000) / (last.at - first.at),
    cpuMicros: ((cpuSeconds(worker.pid) - cpu) * 1e6) / moved,
    peakRss: peakRssBytes(worker.pid),
    digest: await digestOf(file),
  };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

await using kafka = await startKafka({ private: true, heap: '1G' });
const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
try {
  console.log(`${records.toLocaleString('en')} records of ${lineBytes} bytes, one partition`);
  await fill(kafka.brokers);
  const { brokers } = kafka;
  const subjects: readonly [name: string, start: () => Promise<Worker>][] = [
    ['Millrace', () => startMillrace({ brokers })],
    ['Kafka Connect', () => startConnect({ brokers, mode: 'standalone', logLevel: 'WARN' })],
    // The same again: how far two runs of one thing lie apart.
    ['Millrace, again', () => startMillrace({ brokers })],
    ['Kafka Connect, again', () => startConnect({ brokers, mode: 'standalone', logLevel: 'WARN' })],
  ];
  const digests = new Set<string>();
  for (const [index, [name, start]] of subjects.entries()) {
    const file = join(folder, 'out.txt');
    await using worker = await start();
    const figures = await measure(worker, file, `bench-${index}`);
    digests.add(figures.digest);
    await rm(file);
    console.log(
      `${name}: ${Math.round(figures.perSecond).toLocaleString('en')} records/s, ${figures.cpuMicros.toFixed(1)} µs CPU/record, ${Math.round(figures.peakRss / 1e6)} MB peak RSS`,
    );
  }
  if (digests.size !== 1) throw new Error('the files differ');
} finally {
  await rm(folder, { recursive: true });
}
