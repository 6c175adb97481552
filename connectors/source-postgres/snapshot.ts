/** Reads tables whole, as they were at one moment, into `r` records. */
import type { Logger, SourceRecord, WireRow } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { readTable } from './catalog.ts';
import { copyOut, readCopyRow } from './copy-rows.ts';
import type { TableLayout } from './envelope.ts';
import { explain } from './errors.ts';
import { parseLsn } from './lsn.ts';
import type { Lsn } from './lsn.ts';
import type { Notifier } from './notifications/notifier.ts';
import { snapshotOffset } from './offsets.ts';
import { columnsRead, readOverride } from './override-query.ts';
import type { TableOverride } from './override-query.ts';
import { rowRecord } from './records.ts';
import { catalogRelation, createLayoutCache } from './relations.ts';
import { RowCheck } from './row-check.ts';
import { SlotArena } from './slot-arena.ts';
import { processingScope, transactionScopeOf } from './source-block.ts';
import type { SnapshotMarker } from './source-block.ts';
import type { StreamParts } from './stream.ts';
import type { CapturedTable } from './tables.ts';

export interface SnapshotParts extends Omit<StreamParts, 'onRelation'> {
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly notifier?: Notifier | undefined;
}

/** Where the snapshot begins: exported with a slot, or now. */
export interface SnapshotStart {
  readonly exported: { readonly name: string; readonly lsn: Lsn } | undefined;
  /** Called once the snapshot is held, whatever exported it being no longer needed. */
  readonly onHeld: () => Promise<void>;
}

interface Held {
  readonly layout: TableLayout;
  readonly row: WireRow;
  readonly bytes: number;
  readonly first: boolean;
  readonly firstInTable: boolean;
}

/** Resolves with the LSN that the snapshot belongs to, when all its rows are in the queue. */
export async function takeSnapshot(
  client: Client,
  tables: readonly CapturedTable[],
  start: SnapshotStart,
  parts: SnapshotParts,
): Promise<Lsn> {
  const { settings, queue, log } = parts;
  const startedUs = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  await client.query('begin isolation level repeatable read read only');
  if (start.exported !== undefined) await client.query(`set transaction snapshot ${pg.escapeLiteral(start.exported.name)}`);
  const { rows } = await client.query<{ lsn: string; xid: string }>(`
    select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end::text as lsn,
      (txid_snapshot_xmax(txid_current_snapshot()) & 4294967295)::text as xid`);
  const lsn = start.exported?.lsn ?? parseLsn(rows[0]?.lsn ?? '0/0');
  const txId = Number(rows[0]?.xid);
  await start.onHeld();

  const names = tables.map(({ schema, table }) => `${schema}.${table}`).join(',');
  const told = (type: string, data: Record<string, string>, last = false): void =>
    parts.notifier?.initial(type, data, snapshotOffset(lsn, txId, startedUs, last));
  told('STARTED', {});
  const writer = new SnapshotWriter(parts, lsn, txId, startedUs);
  const layouts = createLayoutCache(settings, parts.names, log, 'snapshot');
  for (const table of tables) {
    parts.signal.throwIfAborted();
    const catalog = await readTable(client, table.oid);
    const layout = layouts.layout(catalogRelation(table.oid, table.schema, table.table, catalog), catalog);
    const override = await readOverride(client, layout, settings.selectOverrides);
    writer.beginTable(layout);
    const before = writer.rows;
    const name = `${table.schema}.${table.table}`;
    told('IN_PROGRESS', { data_collections: names, current_collection_in_progress: name });
    try {
      await copyOut(client, copyStatement(table, layout, override), queue, writer);
    } catch (error) {
      throw explain(error, `read table ${table.schema}.${table.table} for the snapshot`);
    }
    log.info(`snapshot: ${table.schema}.${table.table}, ${writer.rows - before} rows`);
    const rows = String(writer.rows - before);
    told('TABLE_SCAN_COMPLETED', { data_collections: names, scanned_collection: name, total_rows_scanned: rows, status: 'SUCCEEDED' });
  }
  writer.end();
  await client.query('commit');
  told('COMPLETED', {}, true);
  log.info(`snapshot: done, ${tables.length} tables, ${writer.rows} rows`);
  return lsn;
}

/** Columns that are left out are not read either, but keep their place. */
function copyStatement({ schema, table, partitioned }: CapturedTable, { shape }: TableLayout, override?: TableOverride): string {
  const shown = new Map(columnsRead(shape).map((column) => [column.slot, column.name]));
  const list = Array.from({ length: shape.width }, (_, slot) => {
    const name = shown.get(slot);
    return name === undefined || override?.columns.has(name) === false ? 'null' : pg.escapeIdentifier(name);
  });
  // Rows of tables that inherit are read with those tables; a partitioned table has none of its own.
  const from = `${partitioned ? '' : 'only '}${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  return `copy (select ${list.join(', ')} from ${override?.from ?? from}) to stdout`;
}

/** Holds each row back until it is known whether another follows, since the last ones are marked. */
class SnapshotWriter {
  rows = 0;
  readonly #parts: SnapshotParts;
  readonly #arena = new SlotArena();
  readonly #check: RowCheck;
  readonly #scope: readonly unknown[];
  #scopes: readonly (readonly unknown[])[] = [];
  readonly #offset: SourceRecord['sourceOffset'];
  readonly #lastOffset: SourceRecord['sourceOffset'];
  #layout: TableLayout | undefined;
  #held: Held | undefined;
  #newTable = true;

  constructor(parts: SnapshotParts, lsn: Lsn, txId: number, startedUs: number) {
    this.#parts = parts;
    this.#check = new RowCheck(parts.settings, parts.log);
    this.#scope = transactionScopeOf(startedUs, txId, undefined, lsn);
    this.#offset = Object.freeze(snapshotOffset(lsn, txId, startedUs, false));
    this.#lastOffset = Object.freeze(snapshotOffset(lsn, txId, startedUs, true));
  }

  beginTable(layout: TableLayout): void {
    this.#layout = layout;
    this.#newTable = true;
  }

  begin(): void {
    this.#scopes = [this.#scope, processingScope()];
  }

  row(bytes: Buffer, start: number, end: number): void {
    const layout = this.#layout as TableLayout;
    const { width } = layout.shape;
    const base = this.#arena.reserve(2 * width);
    const { slots } = this.#arena;
    readCopyRow(bytes, start, end, width, slots, base);
    const held = this.#held;
    if (held !== undefined) this.#emit(held, markerOf(held, this.#newTable), this.#offset);
    const row: WireRow = { bytes, slots, base, scopes: this.#scopes, own: nothing };
    this.#held = { layout, row, bytes: end - start, first: this.rows === 0, firstInTable: this.#newTable };
    this.#newTable = false;
    this.rows++;
  }

  end(): void {
    if (this.#held !== undefined) this.#emit(this.#held, 'last', this.#lastOffset);
    this.#held = undefined;
  }

  #emit({ layout, row, bytes }: Held, marker: SnapshotMarker, offset: SourceRecord['sourceOffset']): void {
    const { context, queue } = this.#parts;
    const { keySchema, newKey, valueSchema, shape } = layout;
    const headers = this.#check.ofNew(layout, row.bytes, row.slots, row.base, context.headers);
    if (headers === undefined) return;
    queue.push(rowRecord(context, shape.topic, keySchema, newKey, valueSchema, layout.read(marker), row, headers, offset), bytes);
  }
}

const nothing: readonly unknown[] = Object.freeze([]);

function markerOf({ first, firstInTable }: Held, lastInTable: boolean): SnapshotMarker {
  if (first) return 'first';
  if (lastInTable) return 'last_in_data_collection';
  return firstInTable ? 'first_in_data_collection' : 'true';
}
