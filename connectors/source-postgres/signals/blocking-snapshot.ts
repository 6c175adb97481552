/** Reads tables whole while the stream stands still. */
import type { Logger, OffsetMap, WireRow } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { readTable } from '../catalog.ts';
import { endClient } from '../connection.ts';
import type { Connector } from '../connection.ts';
import { copyOut, readCopyRow } from '../copy-rows.ts';
import type { TableLayout } from '../envelope.ts';
import { fromClause } from '../incremental/chunk-query.ts';
import { parseLsn } from '../lsn.ts';
import type { Notifier } from '../notifications/notifier.ts';
import type { RecordQueue } from '../queue.ts';
import { rowRecord } from '../records.ts';
import type { RecordContext } from '../records.ts';
import { createLayoutCache } from '../relations.ts';
import { catalogRelation } from '../table-key.ts';
import { generatedColumns } from '../generated-columns.ts';
import type { Settings } from '../settings.ts';
import { SlotArena } from '../slot-arena.ts';
import { processingScope, transactionScopeOf } from '../source-block.ts';
import type { SnapshotMarker, SourceNames } from '../source-block.ts';
import type { CapturedTable } from '../tables.ts';
import type { SnapshotRequest } from './signal.ts';

export interface BlockingParts {
  readonly settings: Settings;
  readonly names: SourceNames;
  readonly context: RecordContext;
  readonly queue: RecordQueue;
  readonly log: Logger;
  readonly connector: Connector;
  readonly notifier: Notifier;
  readonly signal: AbortSignal;
}

interface Held {
  readonly layout: TableLayout;
  readonly row: WireRow;
  readonly size: number;
  readonly first: boolean;
  readonly firstInTable: boolean;
}

/** `offset` is where the stream stands; it goes on there. */
export async function blockingSnapshot(
  parts: BlockingParts,
  request: SnapshotRequest,
  tables: readonly CapturedTable[],
  offset: OffsetMap,
): Promise<void> {
  const client = await parts.connector.connectReader();
  const close = (): void => void endClient(client);
  parts.signal.addEventListener('abort', close, { once: true });
  try {
    await readAll(client, parts, request, tables, offset);
  } finally {
    parts.signal.removeEventListener('abort', close);
    await endClient(client);
  }
}

async function readAll(
  client: Client,
  parts: BlockingParts,
  request: SnapshotRequest,
  tables: readonly CapturedTable[],
  offset: OffsetMap,
): Promise<void> {
  const { settings, names, context, queue, log, notifier } = parts;
  const startedUs = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  await client.query('begin isolation level repeatable read read only');
  const { rows: found } = await client.query<{ lsn: string; xid: string }>(`
    select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end::text as lsn,
      (txid_snapshot_xmax(txid_current_snapshot()) & 4294967295)::text as xid`);
  const lsn = parseLsn(found[0]?.lsn ?? '0/0');
  const scope = transactionScopeOf(startedUs, Number(found[0]?.xid), lsn, lsn);
  const layouts = createLayoutCache(settings, names, log, 'snapshot');
  const list = tables.map(idOf).join(',');
  const arena = new SlotArena();
  let held: Held | undefined;
  let total = 0;
  notifier.initial('STARTED', {}, offset);

  const emit = ({ layout, row, size }: Held, marker: SnapshotMarker): void => {
    const { keySchema, newKey, valueSchema, shape } = layout;
    queue.push(rowRecord(context, shape.topic, keySchema, newKey, valueSchema, layout.read(marker), row, context.headers, offset), size);
  };
  const generated = await generatedColumns(client, settings);
  for (const table of tables) {
    const id = idOf(table);
    const catalog = await readTable(client, table.oid);
    const layout = layouts.layout(catalogRelation(table.oid, table.schema, table.table, catalog, generated, table.published), catalog);
    const { width } = layout.shape;
    notifier.initial('IN_PROGRESS', { data_collections: list, current_collection_in_progress: id }, offset);
    let rows = 0;
    let scopes: readonly (readonly unknown[])[] = [];
    await copyOut(client, await copyStatement(client, table, layout, request.filterFor(id)), queue, {
      begin: () => void (scopes = [scope, processingScope()]),
      row(bytes, start, end) {
        const base = arena.reserve(2 * width);
        const { slots } = arena;
        readCopyRow(bytes, start, end, width, slots, base);
        if (held !== undefined) emit(held, markerOf(held, rows === 0));
        held = { layout, row: { bytes, slots, base, scopes, own: [] }, size: end - start, first: total === 0, firstInTable: rows === 0 };
        rows++;
        total++;
      },
    });
    notifier.initial(
      'TABLE_SCAN_COMPLETED',
      { data_collections: list, scanned_collection: id, total_rows_scanned: String(rows), status: 'SUCCEEDED' },
      offset,
    );
    log.info(`blocking snapshot: ${id}, ${rows} rows`);
  }
  if (held !== undefined) emit(held, 'last');
  await client.query('commit');
  notifier.initial('COMPLETED', {}, offset);
}

const idOf = ({ schema, table }: CapturedTable): string => `${schema}.${table}`;

function markerOf({ first, firstInTable }: Held, lastInTable: boolean): SnapshotMarker {
  if (first) return 'first';
  if (lastInTable) return 'last_in_data_collection';
  return firstInTable ? 'first_in_data_collection' : 'true';
}

/** `select` is a whole query; columns that it leaves out are null. */
async function copyStatement(client: Client, table: CapturedTable, { shape }: TableLayout, select: string | null): Promise<string> {
  const shown = new Map(shape.columns.map(({ slot, name }) => [slot, name]));
  const given = select === null ? undefined : await columnsOf(client, select);
  const list = Array.from({ length: shape.width }, (_, slot) => {
    const name = shown.get(slot);
    return name === undefined || given?.has(name) === false ? 'null' : pg.escapeIdentifier(name);
  });
  const filter = table.published?.rowFilter ?? null;
  const whole = `${fromClause(table)}${filter === null ? '' : ` where ${filter}`}`;
  // Who selects anything, has it.
  const from = select === null ? whole : `(${withoutEnd(select)}) as chosen`;
  return `copy (select ${list.join(', ')} from ${from}) to stdout`;
}

async function columnsOf(client: Client, select: string): Promise<ReadonlySet<string>> {
  const { fields } = await client.query(`select * from (${withoutEnd(select)}) as chosen limit 0`);
  return new Set(fields.map(({ name }) => name));
}

const withoutEnd = (select: string): string => select.trim().replace(/;$/, '');
