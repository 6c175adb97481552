/** Reads tables whole while the stream stands still. */
import type { Logger, OffsetMap } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { readTable } from '../catalog/catalog.ts';
import { endClient } from '../connection/connection.ts';
import type { Connector } from '../connection/connection.ts';
import { copyOut } from '../snapshot/copy-rows.ts';
import type { TableLayout } from '../records/envelope.ts';
import { fromClause } from '../incremental/chunk-query.ts';
import type { Notifier } from '../notifications/notifier.ts';
import type { RecordQueue } from '../records/queue.ts';
import type { RecordContext } from '../records/records.ts';
import { createLayoutCache } from '../catalog/relations.ts';
import { catalogRelation } from '../catalog/table-key.ts';
import { generatedColumns } from '../catalog/generated-columns.ts';
import type { Settings } from '../config/settings.ts';
import { heldSnapshot } from '../snapshot/readers.ts';
import { createWork, wholePart } from '../snapshot/work.ts';
import type { TableWork } from '../snapshot/work.ts';
import { SnapshotWriter } from '../snapshot/writer.ts';
import type { SourceNames } from '../records/source-block.ts';
import type { CapturedTable } from '../catalog/tables.ts';
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
    // Stopped while the connection was made.
    parts.signal.throwIfAborted();
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
  const { settings, names, queue, log, notifier } = parts;
  const startedUs = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  await client.query('begin isolation level repeatable read read only');
  const moment = { ...(await heldSnapshot(client)), us: startedUs };
  const layouts = createLayoutCache(settings, names, log, 'snapshot');
  const list = tables.map(idOf).join(',');
  const work = createWork(tables.map(wholeTable), 1, false);
  const writer = new SnapshotWriter({ ...parts, resumable: false, standsAt: offset }, moment, undefined, work.tables);
  notifier.initial('STARTED', {}, offset);

  const generated = await generatedColumns(client, settings);
  for (let piece = work.take(); piece !== undefined; piece = work.take()) {
    const { table } = piece.work;
    const id = idOf(table);
    const catalog = await readTable(client, table.oid);
    const layout = layouts.layout(catalogRelation(table.oid, table.schema, table.table, catalog, generated, table.published), catalog);
    notifier.initial('IN_PROGRESS', { data_collections: list, current_collection_in_progress: id }, offset);
    await copyOut(client, await copyStatement(client, table, layout, request.filterFor(id)), queue, writer.receiver(piece, layout));
    const rows = writer.read(piece) ?? 0;
    notifier.initial(
      'TABLE_SCAN_COMPLETED',
      { data_collections: list, scanned_collection: id, total_rows_scanned: String(rows), status: 'SUCCEEDED' },
      offset,
    );
    log.info(`blocking snapshot: ${id}, ${rows} rows`);
  }
  writer.end();
  await client.query('commit');
  notifier.initial('COMPLETED', {}, offset);
}

const wholeTable = (table: CapturedTable): TableWork => ({
  table,
  parts: [wholePart(table)],
  estimatedRows: 0,
  reading: undefined,
  rows: 0,
  held: undefined,
  begun: false,
});

const idOf = ({ schema, table }: CapturedTable): string => `${schema}.${table}`;

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
