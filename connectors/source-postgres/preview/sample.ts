/** Some rows of one table, as records. */
import { DataError } from '@millrace/runtime/api';
import type { Logger, SourceRecord, WireRow } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { readTable } from '../catalog/catalog.ts';
import type { CatalogColumn } from '../catalog/catalog.ts';
import { copyOut, readCopyRow } from '../snapshot/copy-rows.ts';
import type { TableLayout } from '../records/envelope.ts';
import { generatedColumns } from '../catalog/generated-columns.ts';
import type { Lsn } from '../position/lsn.ts';
import { snapshotOffset } from '../position/offsets.ts';
import { readOverride, selectList } from '../snapshot/override-query.ts';
import { rowRecord } from '../records/records.ts';
import type { RecordContext } from '../records/records.ts';
import type { LayoutCache } from '../catalog/relations.ts';
import { RowCheck } from '../records/row-check.ts';
import type { Settings } from '../config/settings.ts';
import { SlotArena } from '../records/slot-arena.ts';
import { processingScope, transactionScopeOf } from '../records/source-block.ts';
import type { SnapshotMarker } from '../records/source-block.ts';
import { catalogRelation } from '../catalog/table-key.ts';
import type { CapturedTable } from '../catalog/tables.ts';

/** When the transaction began, and where the WAL was. */
export interface Moment {
  readonly lsn: Lsn;
  readonly txId: number;
  readonly us: number;
}

export interface SampleParts {
  readonly client: Client;
  readonly settings: Settings;
  readonly layouts: LayoutCache;
  readonly context: RecordContext;
  readonly moment: Moment;
  readonly log: Logger;
  readonly note: (text: string) => void;
  /** Of the first row of each table. */
  readonly firstMarker: () => SnapshotMarker;
}

export interface Sample {
  readonly table: CapturedTable;
  readonly layout: TableLayout;
  /** All that the table has. */
  readonly columns: readonly CatalogColumn[];
  /** The next rows, so many at most. */
  read(rows: number): Promise<readonly SourceRecord[]>;
  readonly isEmpty: boolean;
  /** There are no more. */
  readonly ended: boolean;
}

const neverFull = { isFull: false, whenRoom: () => {} };

export async function openSample(captured: CapturedTable, parts: SampleParts): Promise<Sample> {
  const { client, settings, layouts } = parts;
  const { oid, schema, table, partitioned, published } = captured;
  const catalog = await readTable(client, oid);
  const generated = await generatedColumns(client, settings);
  const layout = layouts.layout(catalogRelation(oid, schema, table, catalog, generated, published), catalog);
  const override = await readOverride(client, layout, settings.selectOverrides);
  const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  const from = override?.from ?? `${partitioned ? '' : 'only '}${name}`;
  const where = override === undefined && published?.rowFilter ? ` where ${published.rowFilter}` : '';
  const select = `select ${selectList(layout, override).join(', ')} from ${from}${where}`;
  const maker = recordMaker(layout, parts);
  let found = 0;
  let ended = false;
  return {
    table: captured,
    layout,
    columns: catalog.columns,
    get isEmpty() {
      return ended && found === 0;
    },
    get ended() {
      return ended;
    },
    async read(rows) {
      const before = found;
      const records: SourceRecord[] = [];
      const { width } = layout.shape;
      const arena = new SlotArena();
      // No order is asked for, which could mean to sort all rows: they come as the table holds them, each time alike.
      await copyOut(client, `copy (${select} limit ${rows} offset ${before}) to stdout`, neverFull, {
        begin() {},
        row(bytes, start, end) {
          const base = arena.reserve(2 * width);
          const { slots } = arena;
          readCopyRow(bytes, start, end, width, slots, base);
          const record = maker(bytes, slots, base);
          if (record !== undefined) records.push(record);
          found++;
        },
      });
      ended = found - before < rows;
      return records;
    },
  };
}

/** Undefined for a row that would not be published. */
type RecordMaker = (bytes: Uint8Array, slots: Int32Array, base: number) => SourceRecord | undefined;

function recordMaker(layout: TableLayout, { settings, context, moment, log, note, firstMarker }: SampleParts): RecordMaker {
  const { schema, table, topic } = layout.shape;
  const check = new RowCheck(settings, log);
  const transaction = transactionScopeOf(moment.us, moment.txId, undefined, moment.lsn);
  const offset = Object.freeze(snapshotOffset(moment.lsn, moment.txId, moment.us, false));
  let begun = false;
  return (bytes, slots, base) => {
    const row: WireRow = { bytes, slots, base, scopes: [transaction, processingScope()], own: nothing };
    try {
      const headers = check.headers('new', layout, bytes, slots, base, context.headers);
      if (headers === undefined) return undefined;
      const { keySchema, newKey, valueSchema } = layout;
      const value = layout.read(begun ? 'true' : firstMarker());
      begun = true;
      return rowRecord(context, topic, keySchema, newKey, valueSchema, value, row, headers, offset);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      note(`a row of ${schema}.${table} would stop the task: ${error.message}`);
      return undefined;
    }
  };
}

const nothing: readonly unknown[] = Object.freeze([]);
