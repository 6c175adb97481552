/** Streaming and snapshot of one table, Millrace beside Debezium, with Millrace twice as the A/A control. */
import { startKafka } from '../test/services/kafka.ts';
import { createDatabase, startPostgres } from '../test/services/postgres.ts';
import { describeMeasurement, measure } from './measure.ts';
import type { BenchSubject, Measurement } from './measure.ts';
import { millraceSubject } from './millrace-worker.ts';
import { debeziumPeer } from './peer-debezium.ts';
import type { DebeziumOptions } from './peer-debezium.ts';
import { createOrders, loadOrders } from './tables.ts';

export interface DebeziumBench {
  readonly rows: number;
  /** A JVM compiles for tens of seconds: the clock starts after these. */
  readonly warmUpRows: number;
}

type Reads = DebeziumOptions['reads'];

/** Every subject reads the same rows: each slot exists before they are loaded. */
export async function benchDebezium(
  { rows, warmUpRows }: DebeziumBench,
  say: (line: string) => void,
): Promise<Record<Reads, Measurement[]>> {
  await using kafka = await startKafka({ private: true, heap: '1G' });
  await using postgres = await startPostgres({ private: true });
  await using database = await createDatabase(postgres);
  const publication = 'bench';
  const subject = (reads: Reads, make: (options: DebeziumOptions) => BenchSubject, tuning: DebeziumOptions['tuning'], slot: string) => ({
    reads,
    slot,
    make: () => make({ brokers: kafka.brokers, postgres: database, publication, slot, reads, tuning }),
  });
  const subjects = [
    subject('stream', millraceSubject, 'as shipped', 'stream_a'),
    subject('stream', debeziumPeer, 'tuned', 'stream_b'),
    subject('stream', millraceSubject, 'as shipped', 'stream_c'),
    subject('stream', debeziumPeer, 'as shipped', 'stream_d'),
    subject('snapshot', millraceSubject, 'as shipped', 'snapshot_a'),
    subject('snapshot', debeziumPeer, 'tuned', 'snapshot_b'),
    subject('snapshot', millraceSubject, 'as shipped', 'snapshot_c'),
  ];
  await createOrders(database.url, { publication, slots: subjects.filter(({ reads }) => reads === 'stream').map(({ slot }) => slot) });
  say(`loading ${rows} rows`);
  await loadOrders(database.url, rows);
  const results: Record<Reads, Measurement[]> = { stream: [], snapshot: [] };
  for (const { reads, make } of subjects) {
    const measurement = await measure(make(), { brokers: kafka.brokers, rows, warmUpRows });
    say(describeMeasurement(measurement));
    results[reads].push(measurement);
  }
  return results;
}
