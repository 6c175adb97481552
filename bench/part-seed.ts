/** The seed figure: events that wait in the WAL, through the topic, into a file, by one worker. */
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMillrace } from '../test/services/millrace.ts';
import { openSite, publication } from './bench-site.ts';
import { createTopics } from './cluster-topics.ts';
import { count, megabytes, table } from './part.ts';
import type { PartOptions, PartResult } from './part.ts';
import { debeziumConfig } from './peer-debezium.ts';
import { cpuSeconds, peakRssBytes } from './proc.ts';

const wantedSeconds = 60;
/** No more lines after that time: nothing is left, or nothing works. */
const quietMs = 5_000;

export async function benchSeed({ seedRows, say }: PartOptions): Promise<PartResult> {
  const slot = 'seed';
  await using site = await openSite(seedRows, [slot], say);
  const { brokers } = site.kafka;
  const topic = 'seed.public.orders';
  await createTopics(brokers, [{ topic, partitions: 1 }]);
  await using worker = await startMillrace({ brokers, properties: { 'offset.flush.interval.ms': '10000' } });
  const file = join(worker.folder, 'seed.txt');
  const text = 'org.apache.kafka.connect.storage.StringConverter';
  const source = { brokers, postgres: site.database, publication, slot, reads: 'stream', tuning: 'as shipped' } as const;
  const begin = performance.now();
  await worker.put('seed', debeziumConfig(source, 'seed'));
  await worker.put('file', {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    topics: topic,
    file,
    'key.converter': text,
    'value.converter': text,
  });
  const { at, bytes } = await complete(file, seedRows, begin);
  const seconds = (at - begin) / 1000;
  const cpuMicros = (cpuSeconds(worker.pid) / seedRows) * 1e6;
  say(`seed: ${count(seedRows)} events in the file after ${seconds.toFixed(1)} s, ${cpuMicros.toFixed(1)} µs CPU per event`);
  return {
    lines: [
      '## Seed figure (PostgreSQL → topic → file)',
      '',
      `${count(seedRows)} events, committed beforehand in transactions of 1,000, JSON without schemas, one partition; one worker runs PostgresConnector and ` +
        'FileStreamSink. The clock runs from the first connector’s PUT until the last line is in the file.',
      '',
      ...table(
        ['seconds', 'events/s', 'CPU per event', 'peak RSS', 'file'],
        [
          [
            seconds.toFixed(1),
            count(seedRows / seconds),
            `${cpuMicros.toFixed(1)} µs`,
            `${megabytes(peakRssBytes(worker.pid))} MB`,
            `${megabytes(bytes)} MB`,
          ],
        ],
      ),
    ],
    targets: [
      {
        figure: `seed figure: ${count(seedRows)} events, PostgreSQL → topic → file`,
        target: `< ${wantedSeconds} s`,
        measured: `${seconds.toFixed(1)} s`,
        met: seconds < wantedSeconds,
      },
    ],
  };
}

/** When the file got its last line; the lines are counted after it has stopped growing, and not while it does. */
async function complete(file: string, lines: number, begin: number): Promise<{ at: number; bytes: number }> {
  let at = begin;
  let bytes = 0;
  // The first growth has to wait for the start of both connectors.
  for (; performance.now() - at < (bytes === 0 ? 60_000 : quietMs); await sleep(20)) {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size === bytes) continue;
    bytes = size;
    at = performance.now();
  }
  const found = await linesOf(file);
  if (found !== lines) throw new Error(`${found} of ${lines} lines are in ${file}, which grows no more`);
  return { at, bytes };
}

async function linesOf(file: string): Promise<number> {
  let found = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    const bytes = chunk as Buffer;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) found++;
  }
  return found;
}
