/** Reads one chunk of a table, with what the catalog says of it, as they are at one moment. */
import type { Logger } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { readTable } from '../catalog/catalog.ts';
import type { CatalogTable } from '../catalog/catalog.ts';
import { copyOut, readCopyRow } from '../snapshot/copy-rows.ts';
import type { TableLayout } from '../records/envelope.ts';
import { parseLsn, walEndSql } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import { createLayoutCache } from '../catalog/relations.ts';
import { catalogRelation } from '../catalog/table-key.ts';
import { allOf } from '../catalog/published-part.ts';
import type { GeneratedColumns } from '../catalog/table-key.ts';
import type { Settings } from '../config/settings.ts';
import { SlotArena } from '../records/slot-arena.ts';
import type { SourceNames } from '../records/source-block.ts';
import type { CapturedTable } from '../catalog/tables.ts';
import { rowIdentity } from './changed-rows.ts';
import { chunkQuery, fromClause, maximumKeyQuery } from './chunk-query.ts';
import type { ChunkTable, KeyColumn } from './chunk-query.ts';
import { keyValue } from './java-values.ts';
import type { Key } from './java-values.ts';
import { parseSnapshot } from './pg-snapshot.ts';
import type { PgSnapshot } from './pg-snapshot.ts';
import type { CollectionEntry } from './snapshot-state.ts';

export interface ChunkRow {
  readonly bytes: Uint8Array;
  readonly slots: Int32Array;
  readonly base: number;
  readonly size: number;
  readonly key: Key;
  readonly identity: string | undefined;
}

export interface Chunk {
  readonly oid: number;
  readonly layout: TableLayout;
  /** The columns that tell rows apart in the stream. */
  readonly identity: readonly string[];
  readonly rows: readonly ChunkRow[];
  /** Null for an empty table. */
  readonly maximumKey: Key | null;
  readonly snapshot: PgSnapshot;
  /** Everything that the chunk sees was committed before. */
  readonly lsn: Lsn;
}

/** A table without anything to go through it by. */
export class NoKeyError extends Error {
  override readonly name = 'NoKeyError';
}

export interface ChunkRequest {
  readonly table: CapturedTable;
  readonly entry: CollectionEntry;
  readonly generated: GeneratedColumns;
  /** Where the chunk before ended; null begins. */
  readonly last: Key | null;
  /** Null is asked for. */
  readonly maximum: Key | null;
}

const neverFull = { isFull: false, whenRoom: () => {} };

export function createChunkReader(settings: Settings, names: SourceNames, log: Logger) {
  const layouts = createLayoutCache(settings, names, log, 'snapshot');

  return async function readChunk(client: Client, { table, entry, generated, last, maximum }: ChunkRequest): Promise<Chunk> {
    await client.query('begin isolation level repeatable read read only');
    try {
      // Before the first query, so that the table is what its snapshot says.
      await client.query(`lock table ${fromClause(table)} in access share mode`);
      const { rows } = await client.query<{ oid: number; snapshot: string; lsn: string }>(
        `select to_regclass($1)::oid as oid, txid_current_snapshot()::text as snapshot,
           ${walEndSql} as lsn`,
        [`${pg.escapeIdentifier(table.schema)}.${pg.escapeIdentifier(table.table)}`],
      );
      const { oid, snapshot, lsn } = rows[0] as { oid: number; snapshot: string; lsn: string };
      const catalog = await readTable(client, oid);
      const layout = layouts.layout(catalogRelation(oid, table.schema, table.table, catalog, generated, table.published), catalog);
      const chunk = chunkTable(table, entry, layout, catalog);
      const identity = identityColumns(catalog);
      const maximumKey = maximum ?? (await readMaximum(client, chunk));
      const found =
        maximumKey === null ? [] : await readRows(client, layout, chunk, identity, catalog, last, maximumKey, settings.signals.chunkSize);
      await client.query('commit');
      return { oid, layout, identity, rows: found, maximumKey, snapshot: parseSnapshot(snapshot), lsn: parseLsn(lsn) };
    } catch (error) {
      await client.query('rollback').catch(() => {});
      throw error;
    }
  };
}

export type ReadChunk = ReturnType<typeof createChunkReader>;

function chunkTable(table: CapturedTable, entry: CollectionEntry, { shape }: TableLayout, catalog: CatalogTable): ChunkTable {
  const names = entry.surrogateKey === null ? shape.key.map(({ name }) => name) : [entry.surrogateKey];
  if (names.length === 0) {
    throw new NoKeyError(
      `table ${entry.id} has no primary key, nor a unique index without nulls: name a column of it as "surrogate-key" in the signal`,
    );
  }
  const keyColumns = names.map((name): KeyColumn => {
    const column = catalog.columns.find((one) => one.name === name);
    if (column === undefined) throw new NoKeyError(`table ${entry.id} has no column "${name}", the surrogate-key of the signal`);
    let type = catalog.types(column.type);
    while (type !== undefined && type.kind === 'd') type = catalog.types(type.base);
    return {
      name,
      notNull: column.notNull,
      type: { oid: type?.oid ?? column.type, name: type?.name ?? '', isEnum: type?.kind === 'e' },
    };
  });
  const covers = (key: readonly string[]): boolean => key.length > 0 && key.every((name) => names.includes(name));
  return {
    ...table,
    keyColumns,
    unique: covers(catalog.primaryKey) || covers(catalog.uniqueKey),
    condition: allOf(entry.condition, table.published?.rowFilter) ?? null,
  };
}

/** What tells a row in the stream, where deletes bring the replica identity alone. */
function identityColumns({ replicaIdentity, identityKey, primaryKey, uniqueKey }: CatalogTable): readonly string[] {
  if (replicaIdentity === 'i' && identityKey.length > 0) return identityKey;
  return primaryKey.length > 0 ? primaryKey : uniqueKey;
}

async function readMaximum(client: Client, chunk: ChunkTable): Promise<Key | null> {
  const { rows } = await client.query<Record<string, string | null>>(maximumKeyQuery(chunk));
  const row = rows[0];
  return row === undefined ? null : chunk.keyColumns.map(({ type }, i) => keyValue(type, row[`k${i}`] ?? null));
}

async function readRows(
  client: Client,
  { shape }: TableLayout,
  chunk: ChunkTable,
  identity: readonly string[],
  catalog: CatalogTable,
  last: Key | null,
  maximum: Key,
  limit: number,
): Promise<ChunkRow[]> {
  const shown = new Map(shape.columns.map(({ slot, name }) => [slot, name]));
  // Columns that are left out keep their place; what is needed of them stands behind.
  const select = Array.from({ length: shape.width }, (_, slot) => shown.get(slot));
  const placeOf = (name: string): number => {
    const at = select.indexOf(name);
    return at >= 0 ? at : select.push(name) - 1;
  };
  const keyPlaces = chunk.keyColumns.map(({ name }) => placeOf(name));
  const identityPlaces = identity.filter((name) => catalog.columns.some((column) => column.name === name)).map(placeOf);
  const list = select.map((name) => (name === undefined ? 'null' : pg.escapeIdentifier(name))).join(', ');

  const rows: ChunkRow[] = [];
  const arena = new SlotArena();
  await copyOut(client, `copy (${chunkQuery(chunk, list, last, maximum, limit)}) to stdout`, neverFull, {
    begin() {},
    row(bytes, start, end) {
      const base = arena.reserve(2 * select.length);
      const { slots } = arena;
      readCopyRow(bytes, start, end, select.length, slots, base);
      const key = chunk.keyColumns.map(({ type }, i) => {
        const from = slots[base + 2 * (keyPlaces[i] as number)] as number;
        const to = slots[base + 2 * (keyPlaces[i] as number) + 1] as number;
        return keyValue(type, from < 0 ? null : bytes.toString('utf8', from, to));
      });
      const told = identityPlaces.length === 0 ? undefined : rowIdentity(bytes, slots, base, identityPlaces);
      rows.push({ bytes, slots, base, size: end - start, key, identity: told });
    },
  });
  return rows;
}
