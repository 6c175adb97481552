import { setTimeout as sleep } from 'node:timers/promises';

import { Kafka, logLevel } from 'kafkajs';

import { cpuSeconds, machineCpuSeconds, peakRssBytes } from './proc.ts';

/** Something that moves the rows of a table into one topic: Millrace, or a rival. */
export interface BenchSubject {
  readonly name: string;
  readonly topic: string;
  /** Spawns it and gives it its connector. */
  start(): Promise<StartReport>;
  stop(): Promise<void>;
  pid(): number;
  /** Why it will not get on, if so; asked now and then while the rows fail to arrive. */
  failure?(): Promise<string | undefined>;
}

export interface StartReport {
  /** From the spawn of the process until its REST API answered. */
  readonly readyAfterMs: number;
}

export interface Measurement {
  readonly name: string;
  readonly rows: number;
  readonly readyAfterMs: number;
  /** From the moment the connector was accepted until a record was seen in the topic. */
  readonly firstRecordAfterMs: number;
  /** From the first sight of records, or the end of the warm-up, to the last row. */
  readonly seconds: number;
  readonly rowsPerSecond: number;
  /** CPU of the process in that time, for each row that arrived in it. */
  readonly cpuMicrosPerRow: number;
  /** The same of the whole machine: server and broker too, and whatever else disturbed the run. */
  readonly machineCpuMicrosPerRow: number;
  /** CPU from its spawn to the last row: start, warm-up and all. */
  readonly cpuSecondsInAll: number;
  readonly peakRssBytes: number;
  /** CPU of the server's process that feeds it, as a share of one core; undefined where none was named. */
  readonly senderShare: number | undefined;
  /** In the topic a second later; more than `rows` when it repeated some. */
  readonly recordsInTopic: number;
}

export interface MeasureOptions {
  readonly brokers: readonly string[];
  /** How many records make it complete. They are there to be read before the subject starts. */
  readonly rows: number;
  /**
   * The clock starts when that many have arrived (0 by default). A JVM compiles for tens of seconds:
   * fairness to Debezium asks for some 500,000, which took it twice the CPU of those that followed.
   */
  readonly warmUpRows?: number;
  readonly timeoutMs?: number;
  /** The server's process that feeds the subject, asked for once records arrive. */
  readonly senderPid?: () => Promise<number | undefined>;
}

const POLL_MS = 50;

/** Starts the subject, watches the topic's end offsets until all rows are there, and stops it. */
export async function measure(subject: BenchSubject, options: MeasureOptions): Promise<Measurement> {
  const { brokers, rows, warmUpRows = 0, timeoutMs = 600_000 } = options;
  const kafka = new Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    // The same topic for all: whoever made it on first use would pay for that.
    await admin.createTopics({ topics: [{ topic: subject.topic, numPartitions: 1, replicationFactor: 1 }] });
    const count = async (): Promise<number> =>
      (await admin.fetchTopicOffsets(subject.topic)).reduce((sum, each) => sum + Number(each.high), 0);
    if ((await count()) > 0) throw new Error(`${subject.topic} is not empty`);

    const { readyAfterMs } = await subject.start();
    const begin = performance.now();
    const reached = async (wanted: number, sender?: number): Promise<Sight> => {
      const sight = await until(wanted, count, subject, begin + timeoutMs);
      return { ...sight, senderCpu: sender === undefined ? 0 : cpuSeconds(sender) };
    };
    const arrival = await reached(1);
    const sender = await options.senderPid?.();
    const first = await reached(Math.max(1, warmUpRows), sender);
    const last = await reached(rows, sender);
    if (last.records === first.records) throw new Error(`${rows} rows are too few: all were there at one poll`);
    const peak = peakRssBytes(subject.pid());
    await sleep(1_000);

    const seconds = (last.at - first.at) / 1_000;
    const moved = last.records - first.records;
    return {
      name: subject.name,
      rows,
      readyAfterMs,
      firstRecordAfterMs: arrival.at - begin,
      seconds,
      rowsPerSecond: moved / seconds,
      cpuMicrosPerRow: ((last.cpu - first.cpu) / moved) * 1e6,
      machineCpuMicrosPerRow: ((last.machineCpu - first.machineCpu) / moved) * 1e6,
      cpuSecondsInAll: last.cpu,
      peakRssBytes: peak,
      senderShare: sender === undefined ? undefined : (last.senderCpu - first.senderCpu) / seconds,
      recordsInTopic: await count(),
    };
  } finally {
    await admin.disconnect();
    await subject.stop();
  }
}

interface Sight {
  readonly at: number;
  readonly records: number;
  readonly cpu: number;
  readonly machineCpu: number;
  readonly senderCpu: number;
}

async function until(
  wanted: number,
  count: () => Promise<number>,
  subject: BenchSubject,
  deadline: number,
): Promise<Omit<Sight, 'senderCpu'>> {
  for (let poll = 1; ; poll++) {
    const records = await count();
    const at = performance.now();
    if (records >= wanted) return { at, records, cpu: cpuSeconds(subject.pid()), machineCpu: machineCpuSeconds() };
    if (poll % 100 === 0) {
      const failure = await subject.failure?.();
      if (failure) throw new Error(`${subject.name} failed after ${records} records: ${failure}`);
    }
    if (at > deadline) throw new Error(`${subject.name} brought ${records} of ${wanted} records in the time allowed`);
    await sleep(POLL_MS);
  }
}

/** One line for people. */
export function describeMeasurement(it: Measurement): string {
  const repeated = it.recordsInTopic - it.rows;
  return [
    `${it.name}: ${Math.round(it.rowsPerSecond).toLocaleString('en')} rows/s`,
    `${it.cpuMicrosPerRow.toFixed(1)} µs CPU/row (${it.cpuSecondsInAll.toFixed(1)} s in all; machine ${it.machineCpuMicrosPerRow.toFixed(0)} µs/row)`,
    `${Math.round(it.peakRssBytes / 1e6)} MB peak RSS`,
    `ready after ${(it.readyAfterMs / 1_000).toFixed(1)} s`,
    `first record ${(it.firstRecordAfterMs / 1_000).toFixed(1)} s later`,
    ...(it.senderShare === undefined ? [] : [`WAL sender at ${(it.senderShare * 100).toFixed(0)} % of a core`]),
    ...(repeated > 0 ? [`${repeated} records too many`] : []),
  ].join(', ');
}
