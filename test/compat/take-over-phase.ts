/** Connectors that are brought into a phase, and held there: by a lock that their queries wait for. */
import { equal, ok } from 'node:assert/strict';

import pg from 'pg';

import { slotIsActive } from '../chaos/slot.ts';
import { sourceConfig } from '../chaos/source-config.ts';
import type { TopicReader } from '../chaos/topic-reader.ts';
import { until } from '../chaos/until.ts';
import type { Database } from '../services/postgres.ts';

export const phases = ['fresh', 'snap', 'inc'] as const;
export type PhaseName = (typeof phases)[number];

const rows = 600;
const readable = 300;
const chunk = 50;
const lock = 77;
const readAndGone = 20;

export interface PhaseSite extends AsyncDisposable {
  /** Queries that read past the first half of a table wait. */
  close(): Promise<void>;
  open(): Promise<void>;
  table(name: string): Promise<void>;
  streams(slot: string): Promise<boolean>;
  signal(name: string): Promise<void>;
  /** One insert, one update and one delete in each half of the table, and of a key that did not change. */
  change(name: string): Promise<void>;
  contents(name: string): Promise<Map<number, string>>;
  /** Ends the queries that wait, which outlive who asked them. */
  dismiss(): Promise<void>;
}

export async function openPhaseSite(database: Database): Promise<PhaseSite> {
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  const run = async (statement: string): Promise<void> => void (await client.query(statement));
  // The first and the last key are free, which a chunk's largest key is looked for among; all by the index.
  await run(`create function gate(id int) returns bool language plpgsql as $$ begin
    if id > ${readable} and id < ${rows} then perform pg_advisory_xact_lock_shared(${lock}); end if; return true; end $$`);
  await run('create table sig (id varchar(64) primary key, type varchar(32) not null, data varchar(2048))');
  for (const way of ['seqscan', 'sort', 'bitmapscan'])
    await run(`alter database ${pg.escapeIdentifier(database.database)} set enable_${way} = off`);
  return {
    close: () => run(`select pg_advisory_lock(${lock})`),
    open: () => run(`select pg_advisory_unlock(${lock})`),
    async table(name) {
      await run(`create table ${name} (id int primary key, note text)`);
      await run(`insert into ${name} select id, repeat(md5(id::text), 16) from generate_series(1, ${rows}) id`);
    },
    streams: (slot) => slotIsActive(database.url, slot),
    signal: (name) =>
      run(`insert into sig values (gen_random_uuid(), 'execute-snapshot', '{"data-collections": ["public.${name}"], "type": "incremental",
        "additional-conditions": [{"data-collection": "public.${name}", "filter": "gate(id)"}]}')`),
    async change(name) {
      for (const half of [0, readable]) {
        await run(`insert into ${name} values (${rows + 10 + half}, 'new')`);
        await run(`update ${name} set note = 'changed' where id in (${half + 10}, ${half + 11})`);
        await run(`delete from ${name} where id = ${half + readAndGone}`);
      }
    },
    async contents(name) {
      const found = await client.query<{ id: number; note: string }>(`select id, note from ${name}`);
      return new Map(found.rows.map(({ id, note }) => [id, note]));
    },
    dismiss: () =>
      run("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'advisory'"),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** `name` is the connector's, and of its table. */
export function phaseConfig(phase: PhaseName, prefix: string, name: string, database: Database): Record<string, string> {
  return {
    ...sourceConfig(`${prefix}_${name}`, database),
    'table.include.list': `public.${name}${phase === 'inc' ? ',public.sig' : ''}`,
    'snapshot.mode': phase === 'inc' ? 'no_data' : 'initial',
    'topic.creation.default.partitions': '1',
    ...(phase === 'snap' && {
      'snapshot.fetch.size': String(chunk),
      'snapshot.select.statement.overrides': `public.${name}`,
      [`snapshot.select.statement.overrides.public.${name}`]: `select * from ${name} where gate(id) order by id`,
    }),
    ...(phase === 'inc' && { 'signal.data.collection': 'public.sig', 'incremental.snapshot.chunk.size': String(chunk) }),
  };
}

interface Told {
  readonly id: number;
  readonly op: string;
  readonly note: string | null;
}

/** What a topic tells, from its record `from` on; without tombstones. */
export async function told(reader: TopicReader, topic: string, from = 0): Promise<Told[]> {
  const records = await reader.read(topic);
  return records.slice(from).flatMap(({ value }) => {
    if (value === null) return [];
    const { op, before, after } = JSON.parse(value) as { op: string; before: Row | null; after: Row | null };
    return [{ id: (after ?? before)?.id ?? 0, op, note: after?.note ?? null }];
  });
}

interface Row {
  readonly id: number;
  readonly note: string;
}

/** Until who reads the table is in the midst of it, and has said so in its offset. */
export async function inPhase(phase: PhaseName, reader: TopicReader, prefix: string, name: string, from = 0): Promise<void> {
  const id = `${prefix}_${name}`;
  await until(`${name} is in its phase`, async () => {
    const own = (await reader.read(`${prefix}-offsets`)).findLast(({ key, value }) => value !== null && key?.includes(`"${id}"`));
    const offset = JSON.parse(own?.value ?? '{}') as Readonly<Record<string, unknown>>;
    const read = (await told(reader, `${id}.public.${name}`, from)).filter(({ op }) => op === 'r').length;
    if (phase === 'inc') return read === readable && typeof offset['incremental_snapshot_primary_key'] === 'string';
    if (phase === 'snap') return read > 0 && read < rows && offset['snapshot_completed'] === false;
    return read === rows && offset['snapshot_completed'] === true;
  });
}

/** Nothing is lost, and nothing is told more often than who goes on has to. */
export function check(phase: PhaseName, name: string, found: readonly Told[], contents: ReadonlyMap<number, string>): void {
  const left = new Map<number, string>();
  for (const { id, op, note } of found) {
    if (op === 'd') left.delete(id);
    else left.set(id, note ?? '');
  }
  // A snapshot that was broken off starts again, at a later moment: of a row that was read and is gone by then neither tells.
  if (phase === 'snap') left.delete(readAndGone);
  equal(left.size, contents.size, `${name}: rows`);
  for (const [id, note] of contents) equal(left.get(id), note, `${name}: row ${id}`);
  const times = (op: string): Map<number, number> =>
    new Map(
      [
        ...Map.groupBy(
          found.filter((each) => each.op === op),
          ({ id }) => id,
        ),
      ].map(([id, list]) => [id, list.length]),
    );
  const most = phase === 'snap' ? 2 : 1;
  for (const op of ['r', 'c', 'u', 'd']) {
    for (const [id, count] of times(op)) ok(count <= (op === 'r' ? most : 1), `${name}: ${op} of ${id} came ${count} times`);
  }
  if (phase === 'snap') return;
  equal(times('d').size, 2, `${name}: deletes`);
  equal(times('c').size, 2, `${name}: inserts`);
  equal(times('u').size, 4, `${name}: updates`);
}
