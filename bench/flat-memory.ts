/**
 * `node bench/flat-memory.ts [--kafka] [--rows 5000000]`: a large snapshot, then a fifth as many changes, and what
 * the worker holds meanwhile: one line a few seconds, for whoever wants to see it flat.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startKafka } from '../test/services/kafka.ts';
import { startMillrace } from '../test/services/millrace.ts';
import { createDatabase, startPostgres } from '../test/services/postgres.ts';
import { megabytes } from './idle.ts';
import { debeziumConfig } from './peer-debezium.ts';
import { peakRssBytes, rssBytes } from './proc.ts';
import { createOrders, loadOrders } from './tables.ts';

const { values } = parseArgs({ options: { kafka: { type: 'boolean' }, rows: { type: 'string' } } });
const rows = Number(values.rows ?? 5_000_000);
const changes = rows / 5;

await using stack = new AsyncDisposableStack();
const kafka = values.kafka ? stack.use(await startKafka({ private: true })) : undefined;
const postgres = stack.use(await startPostgres({ private: true }));
const database = stack.use(await createDatabase(postgres));
await createOrders(database.url, { publication: 'flat' });
await loadOrders(database.url, rows);
const worker = stack.use(await startMillrace({ ...(kafka && { brokers: kafka.brokers }) }));
const options = {
  brokers: kafka?.brokers ?? [],
  postgres: database,
  publication: 'flat',
  slot: 'flat',
  reads: 'snapshot',
  tuning: 'as shipped',
} as const;

console.log('seconds  records  RSS MB');
const begin = performance.now();
await worker.put('flat', debeziumConfig(options, 'flat'));
await until(rows);
const client = new pg.Client({ connectionString: database.url });
await client.connect();
await client.query(`do $$ begin
  for block in 0..${changes / 1000 - 1} loop
    update orders set status = 'paid', amount = amount + 1 where id between block * 1000 + 1 and block * 1000 + 1000;
    commit;
  end loop; end $$`);
await client.end();
await until(rows + changes);
console.log(`peak ${megabytes(peakRssBytes(worker.pid))} MB`);

async function until(records: number): Promise<void> {
  for (let written = 0; written < records;) {
    await sleep(3000);
    written = await writtenRecords();
    console.log(`${((performance.now() - begin) / 1000).toFixed(0).padStart(7)}  ${written}  ${megabytes(rssBytes(worker.pid))}`);
    const failed = (await worker.status('flat')).tasks.find(({ state }) => state === 'FAILED');
    if (failed) throw new Error(failed.trace);
  }
}

async function writtenRecords(): Promise<number> {
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  return Number(/source_record_write_total\{[^}]*\} (\d+)/.exec(metrics)?.[1] ?? 0);
}
