/** Commit → readable in the topic, at 200 and at 2,000 transactions a second, beside Debezium. */
import { Kafka, logLevel } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTopics } from './cluster-topics.ts';
import { openSite, publication } from './bench-site.ts';
import type { Run } from './bench-site.ts';
import { measureLatency } from './latency.ts';
import type { Latency } from './latency.ts';
import { millraceSubject } from './millrace-worker.ts';
import { count, table } from './part.ts';
import type { PartOptions, PartResult, Target } from './part.ts';
import { debeziumPeer } from './peer-debezium.ts';
import type { DebeziumOptions } from './peer-debezium.ts';
import { loadOrders } from './tables.ts';

/** The higher first: what warms a JVM up serves both. */
const rates = [2_000, 200];
const wantedMs = 10;
const warmUpSeconds = 5;

interface Figures {
  readonly name: string;
  readonly latencies: readonly Latency[];
}

export async function benchLatency({ rows, seconds, say }: PartOptions): Promise<PartResult> {
  const warmUpRows = Math.round(rows / 5);
  const subjects: readonly [Run['who'], string][] = [
    ['Millrace', 'Millrace'],
    ['Debezium tuned', 'Debezium tuned'],
    ['Millrace', 'Millrace, again'],
    ['Debezium as shipped', 'Debezium as shipped'],
  ];
  const results: Figures[] = [];
  for (const [who, label] of subjects) results.push({ name: label, latencies: await latenciesOf(who, label, warmUpRows, seconds, say) });
  const [first, tuned, again] = results as [Figures, Figures, Figures];
  const targets = rates.map((perSecond, index): Target => {
    const ours = Math.max(first.latencies[index]!.fromCommit.p99, again.latencies[index]!.fromCommit.p99);
    const theirs = tuned.latencies[index]!.fromCommit.p99;
    return {
      figure: `commit → readable in the topic, ${count(perSecond)} transactions/s`,
      target: `p99 ≤ ${wantedMs} ms, and below tuned Debezium`,
      measured: `p99 ${ms(ours)} (the worse of two runs), Debezium ${ms(theirs)}`,
      met: ours <= wantedMs && ours < theirs,
    };
  });
  return {
    lines: [
      '## Latency: commit → readable in the topic',
      '',
      `One row in each transaction, ${seconds} s at each rate, after ${count(warmUpRows)} rows and ${warmUpSeconds} s at that rate. The clock starts when ` +
        "COMMIT has returned to the writer, and stops when the row's record comes out of kcat (`fetch.min.bytes=1`); writer and reader are " +
        'outside the process that is measured. "Since it was sent" starts before the transaction went to the server.',
      '',
      ...table(
        ['subject', 'transactions/s', 'p50', 'p99', 'max', 'p99 since it was sent', 'CPU per row'],
        results.flatMap(({ name, latencies }) =>
          latencies.map(({ reached, fromCommit, fromSend, cpuMicrosPerRow }) => [
            name,
            count(reached),
            ...[fromCommit.p50, fromCommit.p99, fromCommit.max, fromSend.p99].map(ms),
            `${cpuMicrosPerRow.toFixed(0)} µs`,
          ]),
        ),
      ),
    ],
    targets,
  };
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

async function latenciesOf(
  who: Run['who'],
  label: string,
  warmUpRows: number,
  seconds: number,
  say: PartOptions['say'],
): Promise<Latency[]> {
  const slot = 'latency';
  await using site = await openSite(0, [slot], say);
  const { brokers } = site.kafka;
  const tuning = who === 'Debezium tuned' ? 'tuned' : 'as shipped';
  const options: DebeziumOptions = { brokers, postgres: site.database, publication, slot, reads: 'stream', tuning };
  const subject = who === 'Millrace' ? millraceSubject(options) : debeziumPeer(options);
  await createTopics(brokers, [{ topic: subject.topic, partitions: 1 }]);
  try {
    await subject.start();
    await loadOrders(site.database.url, warmUpRows);
    await untilInTopic(brokers, subject.topic, warmUpRows, async () => subject.failure?.());
    const latencies: Latency[] = [];
    for (const [index, perSecond] of rates.entries()) {
      const firstId = (index + 1) * 1_000_000_000;
      const more = { topic: subject.topic, pid: subject.pid(), perSecond, seconds, warmUpSeconds, firstId };
      const latency = await measureLatency({ url: site.database.url, brokers, ...more });
      const { reached, fromCommit, fromSend, cpuMicrosPerRow } = latency;
      say(
        `${label} at ${count(reached)} transactions/s: p50 ${ms(fromCommit.p50)}, p99 ${ms(fromCommit.p99)}, max ${ms(fromCommit.max)}; ` +
          `since sent p99 ${ms(fromSend.p99)}; ${cpuMicrosPerRow.toFixed(0)} µs CPU/row`,
      );
      latencies.push(latency);
    }
    return latencies;
  } finally {
    await subject.stop();
  }
}

async function untilInTopic(
  brokers: readonly string[],
  topic: string,
  wanted: number,
  failure: () => Promise<string | undefined>,
): Promise<void> {
  const admin = new Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    for (const deadline = performance.now() + 300_000; ; await sleep(200)) {
      const [partition] = await admin.fetchTopicOffsets(topic);
      if (Number(partition?.high) >= wanted) return;
      const why = performance.now() > deadline ? 'too slow' : await failure();
      if (why) throw new Error(`${topic}: ${partition?.high} of ${wanted} records: ${why}`);
    }
  } finally {
    await admin.disconnect();
  }
}
