/** Incremental snapshots in tests: a table, a signal table, and what a topic makes of them. */
import type { OffsetMap, SourceRecord, Struct } from '@millrace/runtime/api';

import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { field, rawConfig, runTask, sql } from './harness.ts';
import type { RawConfig, Running } from './harness.ts';

export const signalTable = 'create table signals (id varchar(64) primary key, type varchar(32) not null, data text)';

export const signalConfig = (database: PostgresAddress, more: RawConfig = {}): RawConfig =>
  rawConfig(database, {
    'snapshot.mode': 'no_data',
    'signal.data.collection': 'public.signals',
    'notification.enabled.channels': 'sink',
    'notification.sink.topic.name': 'notices',
    'incremental.snapshot.chunk.size': '20',
    ...more,
  });

export async function signal(database: PostgresAddress, id: string, type: string, data: object = {}): Promise<void> {
  await sql(database, `insert into signals values ('${id}', '${type}', '${JSON.stringify(data).replaceAll("'", "''")}')`);
}

export const notices = (records: readonly SourceRecord[], type?: string): Struct[] =>
  records
    .filter(({ topic }) => topic === 'notices')
    .map(({ value }) => value as Struct)
    .filter((value) => type === undefined || value.get('type') === type);

export const noticeData = (notice: Struct | undefined, name: string): unknown =>
  (notice?.get('additional_data') as Map<string, string>)?.get(name);

export const isRead = (record: SourceRecord): boolean => record.value !== null && record.topic !== 'notices' && field(record, 'op') === 'r';

export const started = (running: Running): Promise<SourceRecord[]> =>
  running.until(() => running.logs.some((line) => line.includes('streaming from')));

export const completed = (running: Running, withinMs?: number): Promise<SourceRecord[]> =>
  running.until(
    (records) => notices(records, 'COMPLETED').some((notice) => notice.get('aggregate_type') === 'Incremental Snapshot'),
    withinMs,
  );

/**
 * The rows that the topic comes to when its records of a table (id, v) are applied in order, as `id:v`. Every write
 * has a greater v: throws where a row that was read comes after a newer change of it.
 */
export function applied(records: readonly SourceRecord[], topic = 'shop.public.t'): string[] {
  const rows = new Map<number, number>();
  const newest = new Map<number, number>();
  for (const record of records) {
    if (record.topic !== topic || record.value === null) continue;
    const id = (record.key as Struct).get('id') as number;
    const op = field(record, 'op');
    if (op === 'd') {
      rows.delete(id);
      // A row that is read after it must have been written after it.
      newest.set(id, (newest.get(id) ?? 0) + 0.5);
      continue;
    }
    const v = field(record, 'after', 'v') as number;
    if (op === 'r' && v < (newest.get(id) ?? 0)) throw new Error(`row ${id} is read as ${v} after it was ${newest.get(id)}`);
    rows.set(id, v);
    newest.set(id, v);
  }
  return [...rows].sort(([a], [b]) => a - b).map(([id, v]) => `${id}:${v}`);
}

export async function tableRows(database: PostgresAddress): Promise<string[]> {
  const { rows } = await sql(database, `select id || ':' || v as row from t order by id`);
  return (rows as { row: string }[]).map(({ row }) => row);
}

/** Polls until a row that was written after everything else has come. */
export async function drained(running: Running, database: PostgresAddress): Promise<void> {
  await sql(database, `insert into signals values ('end-' || txid_current(), 'log', '{"message":"end"}')`);
  const { rows } = await sql(database, `select id from signals where id like 'end-%' order by length(id) desc, id desc limit 1`);
  const id = (rows[0] as { id: string }).id;
  await running.until((records) => records.some((record) => record.topic === 'shop.public.signals' && field(record, 'after', 'id') === id));
}

/** A new task after a crash: records behind the first `kept` never arrived. */
export async function crashAndResume(running: Running, raw: RawConfig, kept: number): Promise<Running> {
  await running[Symbol.asyncDispose]();
  const records = running.records.slice(0, kept);
  const next = await runTask(raw, { offset: stored(records.at(-1)?.sourceOffset) });
  next.records.push(...records);
  return next;
}

/** Through JSON, as it is stored. */
const stored = (offset: OffsetMap | undefined): OffsetMap | undefined =>
  offset === undefined ? undefined : (JSON.parse(JSON.stringify(offset)) as OffsetMap);
