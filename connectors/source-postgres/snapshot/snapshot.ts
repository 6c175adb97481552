/** Reads tables whole, as they were at one moment, into `r` records. */
import type { Logger } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { readTable } from '../catalog/catalog.ts';
import { endClient } from '../connection/connection.ts';
import { copyOut } from './copy-rows.ts';
import { explain } from '../connection/errors.ts';
import { generatedColumns } from '../catalog/generated-columns.ts';
import type { Lsn } from '../position/lsn.ts';
import type { Notifier } from '../notifications/notifier.ts';
import { snapshotOffset } from '../position/offsets.ts';
import { readOverride, selectList } from './override-query.ts';
import { allOf, toldOf } from '../catalog/published-part.ts';
import { createLayoutCache } from '../catalog/relations.ts';
import type { LayoutCache } from '../catalog/relations.ts';
import { meterSnapshot } from './meter.ts';
import type { SetFigure } from './meter.ts';
import type { SnapshotProgress } from '../position/progress.ts';
import { planTables } from './parts.ts';
import { holdSnapshot, joinSnapshot } from './readers.ts';
import { tidCondition } from '../position/tid.ts';
import { createWork } from './work.ts';
import type { Piece, TableReading, Work } from './work.ts';
import { SnapshotWriter } from './writer.ts';
import type { Settings } from '../config/settings.ts';
import type { StatusReport } from '../status/status-report.ts';
import type { StreamParts } from '../stream/stream-parts.ts';
import { catalogRelation } from '../catalog/table-key.ts';
import type { CapturedTable } from '../catalog/tables.ts';

export interface SnapshotParts extends Omit<StreamParts, 'onRelation'> {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Opens another connection, for `snapshot.max.threads`; without it there is one reader. */
  readonly openReader?: () => Promise<Client>;
  readonly setFigure?: SetFigure;
  readonly report?: StatusReport | undefined;
  readonly notifier?: Notifier | undefined;
}

/** Where the snapshot begins: exported with a slot, or now. */
export interface SnapshotStart {
  readonly exported: { readonly name: string; readonly lsn: Lsn } | undefined;
  /** Called once the snapshot is held, whatever exported it being no longer needed. */
  readonly onHeld: () => Promise<void>;
  /** A snapshot that was broken off: it is gone on with, as of its moment, on what the tables hold now. */
  readonly progress?: SnapshotProgress | undefined;
  /** Told on failure, what could be gone on with. */
  readonly onFailed?: (progress: SnapshotProgress | undefined) => void;
}

/** Resolves with the LSN that the snapshot belongs to, when all its rows are in the queue. `client` is the first reader. */
export async function takeSnapshot(
  client: Client,
  tables: readonly CapturedTable[],
  start: SnapshotStart,
  parts: SnapshotParts,
): Promise<Lsn> {
  const { settings, queue, log, context } = parts;
  const { exported, progress } = start;
  const startedUs = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  const readers = [client];
  const failed = new AbortController();
  const endAll = (): void => readers.forEach((reader) => void endClient(reader));
  failed.signal.addEventListener('abort', endAll, { once: true });
  const onStop = (): void => failed.abort(parts.signal.reason);
  parts.signal.addEventListener('abort', onStop, { once: true });
  let writer: SnapshotWriter | undefined;
  try {
    // Stopped while the connection was made: nobody would tell it again, and nobody takes what is read.
    parts.signal.throwIfAborted();
    const held = await holdSnapshot(client, exported?.name, tables, settings, exported === undefined && progress === undefined);
    const moment = progress ?? { lsn: exported?.lsn ?? held.lsn, txId: held.txId, us: startedUs, sees: held.sees };
    const planned = await planTables(client, tables, settings, progress, held.nextXid, ({ schema, table }) =>
      log.warn(`snapshot: ${schema}.${table} was rewritten since the snapshot was broken off: all its rows are read again`),
    );
    if (parts.openReader !== undefined && planned.length > 0) {
      await joinSnapshot(client, settings.snapshotThreads - 1, parts.openReader, readers);
    }
    await start.onHeld();

    const resumable = exported !== undefined || progress !== undefined;
    writer = new SnapshotWriter({ context, queue, settings, log, resumable }, moment, progress, planned);
    const work = createWork(planned, readers.length, resumable);
    const seen = progress === undefined ? undefined : seenBy(progress.sees, held.nextXid);
    const layouts = createLayoutCache(settings, parts.names, log, 'snapshot');
    const run = { parts, work, writer, layouts, seen, tell: teller(parts, tables, writer), signal: failed.signal };
    parts.notifier?.initial('STARTED', {}, writer.offset());
    using _ = meterSnapshot({ works: planned, tables: tables.length, writer, topicPrefix: settings.topicPrefix }, parts);
    // All come to an end before it is told how far they came.
    await Promise.all(readers.map((reader) => readPieces(reader, run).catch((error: unknown) => failed.abort(error))));
    failed.signal.throwIfAborted();
    writer.end();
    // It held nothing but the snapshot: a connection that is lost by now takes nothing along.
    await client.query('commit').catch(() => {});
    parts.notifier?.initial('COMPLETED', {}, snapshotOffset(moment.lsn, moment.txId, moment.us, true));
    log.info(`snapshot: done, ${tables.length} tables, ${writer.rows} rows`);
    return moment.lsn;
  } catch (error) {
    start.onFailed?.(writer?.progress());
    throw error;
  } finally {
    failed.signal.removeEventListener('abort', endAll);
    parts.signal.removeEventListener('abort', onStop);
    await Promise.all(readers.slice(1).map(endClient));
  }
}

interface Run {
  readonly parts: SnapshotParts;
  readonly work: Work;
  readonly writer: SnapshotWriter;
  readonly layouts: LayoutCache;
  readonly seen: string | undefined;
  readonly tell: (type: string, data: Readonly<Record<string, string>>) => void;
  readonly signal: AbortSignal;
}

/** Notifies of what happens with one of the tables. */
function teller({ notifier }: SnapshotParts, tables: readonly CapturedTable[], writer: SnapshotWriter): Run['tell'] {
  const names = tables.map(({ schema, table }) => `${schema}.${table}`).join(',');
  return (type, data) => notifier?.initial(type, { data_collections: names, ...data }, writer.offset());
}

async function readPieces(reader: Client, { parts, work, writer, layouts, seen, tell, signal }: Run): Promise<void> {
  for (let piece = work.take(); piece !== undefined; piece = work.take()) {
    signal.throwIfAborted();
    const { table } = piece.work;
    const name = `${table.schema}.${table.table}`;
    if (piece.work.reading === undefined) tell('IN_PROGRESS', { current_collection_in_progress: name });
    try {
      piece.work.reading ??= readLayout(reader, table, layouts, parts.settings);
      const reading = await piece.work.reading;
      await copyOut(reader, copyStatement(piece, reading, seen), parts.queue, writer.receiver(piece, reading.layout));
    } catch (error) {
      throw explain(error, `read table ${name} for the snapshot`);
    }
    const rows = writer.read(piece);
    if (rows === undefined) continue;
    parts.log.info(`snapshot: ${name}, ${rows} rows${toldOf(table.published)}`);
    tell('TABLE_SCAN_COMPLETED', { scanned_collection: name, total_rows_scanned: String(rows), status: 'SUCCEEDED' });
  }
}

async function readLayout(
  reader: Client,
  { oid, schema, table, published }: CapturedTable,
  layouts: LayoutCache,
  settings: Settings,
): Promise<TableReading> {
  const catalog = await readTable(reader, oid);
  const generated = await generatedColumns(reader, settings);
  const layout = layouts.layout(catalogRelation(oid, schema, table, catalog, generated, published), catalog);
  return { layout, override: await readOverride(reader, layout, settings.selectOverrides) };
}

/** Behind the columns stands the row's own place. */
function copyStatement({ work, part, range, which, placed }: Piece, { layout, override }: TableReading, seen: string | undefined): string {
  const list = selectList(layout, override);
  // Who selects anything, knows nothing of places and versions.
  if (override !== undefined) return `copy (select ${list.join(', ')} from ${override.from}) to stdout`;
  const place = part.ranged && which === 'seen' ? tidCondition(range) : undefined;
  const version = seen === undefined || which === 'seen' ? seen : `not ${seen}`;
  const condition = allOf(place, version, work.table.published?.rowFilter);
  const where = condition === undefined ? '' : ` where ${condition}`;
  const from = `${part.only ? 'only ' : ''}${pg.escapeIdentifier(part.schema)}.${pg.escapeIdentifier(part.table)}`;
  return `copy (select ${[...list, ...(placed ? ['ctid'] : [])].join(', ')} from ${from}${where}) to stdout`;
}

/** Whether a row's version is one that the broken-off snapshot saw. A row tells 32 bits of the transaction's id. */
function seenBy(sees: string, nextXid: number): string {
  const xmin = `xmin::text::bigint`;
  const whole = nextXid < 2 ** 32 ? xmin : `(${xmin} + ((${nextXid} - ${xmin}) / 4294967296) * 4294967296)`;
  return `txid_visible_in_snapshot(${whole}, '${readableSnapshot(sees)}'::txid_snapshot)`;
}

/**
 * A snapshot that a slot exports may end before it begins (`2939:2938:`, where the last transactions before it were
 * rolled back), which PostgreSQL writes and does not read. What is below the beginning is seen, all else is not.
 */
function readableSnapshot(sees: string): string {
  const [xmin, xmax] = sees.split(':') as [string, string];
  return Number(xmax) < Number(xmin) ? `${xmin}:${xmin}:` : sees;
}
