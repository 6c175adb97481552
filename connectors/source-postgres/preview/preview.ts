/**
 * What records of the captured tables look like, read in one transaction that can write nothing: no slot, no publication,
 * no offset. Rows come as a snapshot's, `op` being `r`, in which form they pass all transforms of Debezium's too:
 * its EventRouter takes `r` for `c`.
 */
import type { PreviewContext, SourceRecord } from '@millrace/runtime/api';
import type { Client } from 'pg';

import type { Config } from '../config/config.ts';
import { createConnector, endClient, socketOf } from '../connection/connection.ts';
import { explain } from '../connection/errors.ts';
import { parseLsn } from '../position/lsn.ts';
import { recordContext } from '../records/records.ts';
import { createLayoutCache } from '../catalog/relations.ts';
import { readSettings } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { capturedTables } from '../catalog/tables.ts';
import type { CapturedTable } from '../catalog/tables.ts';
import { unsupportedKeys } from '../config/unsupported.ts';
import { leftOutNote, modeNotes, tableNames } from './notes.ts';
import { openSample } from './sample.ts';
import type { Moment, Sample, SampleParts } from './sample.ts';

/** As pg_stat_activity names it. */
export const previewName = 'millrace preview';

/** A table that somebody has locked is not waited for longer. */
const longestLockMs = 2_000;
const mostRowsAtOnce = 200;

/** Yields some rows of each table, then more of them. Throws what keeps it from reading any. */
export async function* preview(config: Config, context: PreviewContext, version: string): AsyncGenerator<SourceRecord> {
  const { rawConfig, timeoutMs, signal, log, note } = context;
  const settings = readSettings(config, rawConfig);
  for (const { message } of unsupportedKeys(rawConfig).ignored) note(message);
  for (const text of settings.selectOverrides.notes) note(text);

  const connector = createConnector(config, { applicationName: previewName, settings: sessionSettings(timeoutMs) });
  const client = await connector.connect();
  const cutOff = (): void => void socketOf(client).destroy();
  signal.addEventListener('abort', cutOff, { once: true });
  try {
    signal.throwIfAborted();
    const [tables, moment] = await begin(client, settings, timeoutMs).catch((error: unknown) => {
      throw explain(error, `look for the tables of ${connector.address}`);
    });
    const shown = tables.filter(({ schema, table }) => !isSignalTable(settings, schema, table));
    for (const text of modeNotes(config['snapshot.mode'], settings, shown)) note(text);
    const names = { version, server: settings.topicPrefix, database: settings.database };
    const layouts = createLayoutCache(settings, names, log, 'snapshot');
    const records = recordContext(settings.topicPrefix, 0, settings.contextHeaders);
    const parts = { client, settings, layouts, context: records, moment, log, note, firstMarker: firstMarkers() };
    yield* rowsOf(shown, parts, context.records);
  } finally {
    signal.removeEventListener('abort', cutOff);
    await endClient(client);
  }
}

/** The server itself refuses to write, to wait and to go on when nobody is there any more. */
function sessionSettings(timeoutMs: number): Readonly<Record<string, string>> {
  return {
    default_transaction_read_only: 'on',
    statement_timeout: String(timeoutMs),
    idle_in_transaction_session_timeout: String(timeoutMs),
    lock_timeout: String(Math.min(longestLockMs, timeoutMs)),
    // The same rows, in the same order, in each query.
    synchronize_seqscans: 'off',
    max_parallel_workers_per_gather: '0',
  };
}

/** What only later versions know: to end with the time, or with the connection, whatever is being done. */
const laterSettings = `
  select set_config(name, case name when 'transaction_timeout' then $1::text else '1000' end, false)
  from pg_settings where name in ('transaction_timeout', 'client_connection_check_interval')`;

async function begin(client: Client, settings: Settings, timeoutMs: number): Promise<[readonly CapturedTable[], Moment]> {
  // Not every platform has the second.
  await client.query(laterSettings, [timeoutMs]).catch(() => {});
  await client.query('begin isolation level repeatable read read only');
  const { rows } = await client.query<{ lsn: string; xid: string }>(`
    select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end::text as lsn,
      (txid_snapshot_xmax(txid_current_snapshot()) & 4294967295)::text as xid`);
  const { lsn, xid } = rows[0] as { lsn: string; xid: string };
  const us = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  return [await capturedTables(client, settings), { lsn: parseLsn(lsn), txId: Number(xid), us }];
}

/** Of a table's first row; that of the first of them is the snapshot's. */
function firstMarkers(): SampleParts['firstMarker'] {
  let begun = false;
  return () => {
    const marker = begun ? 'first_in_data_collection' : 'first';
    begun = true;
    return marker;
  };
}

const isSignalTable = ({ signals: { table: signal } }: Settings, schema: string, table: string): boolean =>
  signal?.schema === schema && signal.table === table;

/** In rounds, so that each table has its share; what one cannot give, the others do. */
async function* rowsOf(tables: readonly CapturedTable[], parts: SampleParts, wanted: number): AsyncGenerator<SourceRecord> {
  const { note } = parts;
  const empty: CapturedTable[] = [];
  let reached = 0;
  let samples: Sample[] = [];
  try {
    const first = Math.ceil(wanted / Math.max(1, tables.length));
    for (const table of tables) {
      reached++;
      const sample = await attempted(table, parts, () => openSample(table, parts));
      if (sample === undefined) continue;
      const left = leftOutNote(table, sample.layout, sample.columns);
      if (left !== undefined) note(left);
      const rows = await attempted(table, parts, () => sample.read(first));
      if (rows === undefined) continue;
      if (sample.isEmpty) empty.push(table);
      if (!sample.ended) samples.push(sample);
      yield* rows;
    }
    for (let share = first; samples.length > 0;) {
      share = Math.min(2 * share, mostRowsAtOnce);
      for (const sample of samples) yield* (await attempted(sample.table, parts, () => sample.read(share))) ?? [];
      samples = samples.filter(({ ended }) => !ended);
    }
  } finally {
    if (empty.length > 0) note(`${empty.length === 1 ? 'a table is' : `${empty.length} tables are`} empty: ${tableNames(empty)}.`);
    const left = tables.length - reached;
    if (left > 0) note(`${left} ${left === 1 ? 'table was' : 'tables were'} not looked into: ask for more records to see them.`);
  }
}

/** What one table refuses does not keep the others from being read: it is noted, and undefined. */
async function attempted<T>(
  { schema, table }: CapturedTable,
  { client, note }: SampleParts,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const doing = `read table ${schema}.${table} for the preview`;
  try {
    await client.query('savepoint one_table');
    const done = await work();
    await client.query('release savepoint one_table');
    return done;
  } catch (error) {
    // A connection that is gone takes no rollback.
    await client.query('rollback to savepoint one_table').catch(() => {
      throw explain(error, doing);
    });
    note(`${explain(error, doing).message}`);
    return undefined;
  }
}
