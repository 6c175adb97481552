/** The servers of one part, and subjects that read its table. */
import { startKafka } from '../test/services/kafka.ts';
import type { KafkaServer } from '../test/services/kafka.ts';
import { createDatabase, startPostgres } from '../test/services/postgres.ts';
import type { Database } from '../test/services/postgres.ts';
import { describeMeasurement, measure } from './measure.ts';
import type { Measurement } from './measure.ts';
import { millraceSubject } from './millrace-worker.ts';
import { count, megabytes, percent, table, times } from './part.ts';
import type { PartOptions } from './part.ts';
import { debeziumPeer } from './peer-debezium.ts';
import type { DebeziumOptions } from './peer-debezium.ts';
import { createOrders, loadOrders, walSenderPid } from './tables.ts';

export const publication = 'bench';

export interface BenchSite extends AsyncDisposable {
  readonly kafka: KafkaServer;
  readonly database: Database;
}

export interface Run {
  readonly who: 'Millrace' | 'Debezium tuned' | 'Debezium as shipped';
  readonly reads: DebeziumOptions['reads'];
  readonly label: string;
  readonly config?: Readonly<Record<string, string>>;
}

/** A broker, and a database whose table `orders` has these rows, and a slot for each reader of them. */
export async function openSite(rows: number, slots: readonly string[], say: PartOptions['say']): Promise<BenchSite> {
  await using stack = new AsyncDisposableStack();
  const kafka = stack.use(await startKafka({ private: true, heap: '1G' }));
  const postgres = stack.use(await startPostgres({ private: true, flags: ['-c', 'max_wal_size=8GB'] }));
  const database = stack.use(await createDatabase(postgres));
  await createOrders(database.url, { publication, slots });
  if (rows > 0) {
    say(`loading ${count(rows)} rows`);
    await loadOrders(database.url, rows);
  }
  const moved = stack.move();
  return { kafka, database, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

/** One after the other, over the same rows: each stream has a slot from before they came. */
export async function measureRuns(runs: readonly Run[], rows: number, say: PartOptions['say']): Promise<Measurement[]> {
  const slotOf = (index: number): string => `${runs[index]!.reads}_${index}`;
  const slots = runs.flatMap(({ reads }, index) => (reads === 'stream' ? [slotOf(index)] : []));
  await using site = await openSite(rows, slots, say);
  const results: Measurement[] = [];
  for (const [index, { who, reads, label, config }] of runs.entries()) {
    const slot = slotOf(index);
    const options: DebeziumOptions = {
      brokers: site.kafka.brokers,
      postgres: site.database,
      publication,
      slot,
      reads,
      tuning: who === 'Debezium tuned' ? 'tuned' : 'as shipped',
      label,
      ...(config && { config }),
    };
    const measurement = await measure(who === 'Millrace' ? millraceSubject(options) : debeziumPeer(options), {
      brokers: site.kafka.brokers,
      rows,
      warmUpRows: warmUpOf(rows),
      ...(reads === 'stream' && { senderPid: () => walSenderPid(site.database.url, slot) }),
    });
    say(describeMeasurement(measurement));
    results.push(measurement);
  }
  return results;
}

/** A JVM compiles for tens of seconds: the clock starts after these. */
export const warmUpOf = (rows: number): number => Math.round(rows / 3);

/** What stands below a part's heading. */
export function whatWasRead(rows: number): string {
  return (
    `${count(rows)} rows, committed beforehand in transactions of 1,000, one partition; the clock starts after ` +
    `${count(warmUpOf(rows))} of them, so that the JVM is warm.`
  );
}

export function measurementTable(measurements: readonly Measurement[], base: Measurement, baseName: string): string[] {
  const withSender = measurements.some(({ senderShare }) => senderShare !== undefined);
  return table(
    ['subject', 'rows/s', `against ${baseName}`, 'CPU per row', 'peak RSS', `against ${baseName}`, ...(withSender ? ['WAL sender'] : [])],
    measurements.map((it) => [
      it.name,
      count(it.rowsPerSecond),
      times(it.rowsPerSecond / base.rowsPerSecond),
      `${it.cpuMicrosPerRow.toFixed(1)} µs`,
      `${megabytes(it.peakRssBytes)} MB`,
      times(it.peakRssBytes / base.peakRssBytes),
      ...(withSender ? [it.senderShare === undefined ? '' : `${percent(it.senderShare)} of a core`] : []),
    ]),
  );
}
