/** Which tables the connector captures. */
import type { Client } from 'pg';

import { listTables } from './catalog.ts';
import { inSnapshotOrder, isWantedTable } from '../config/filters.ts';
import { publishedParts } from './published-part.ts';
import type { PublishedPart } from './published-part.ts';
import type { Settings } from '../config/settings.ts';

export interface CapturedTable {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  readonly partitioned: boolean;
  /** What of it the stream will have; undefined for all. */
  readonly published?: PublishedPart | undefined;
}

/** What the filters choose, partitioned tables too: of those, partitions that are made later are published without being named. */
export async function publishedTables(client: Client, settings: Settings): Promise<readonly CapturedTable[]> {
  const { rows } = await client.query<{ version: number }>("select current_setting('server_version_num')::int as version");
  const partitioned = (rows[0]?.version ?? 0) >= 130_000;
  const wanted = (await listTables(client)).filter(({ schema, table }) => isWantedTable(settings.filters, schema, table));
  return inSnapshotOrder(
    settings.filters,
    wanted.filter((table) => partitioned || !table.partitioned),
  );
}

/**
 * The tables that the filters choose, in the order in which a snapshot reads them. Of a partitioned table and its
 * partitions only those are taken under whose name changes will come, so that no row comes twice: the root under
 * publish.via.partition.root, else the partitions, unless the filters choose the root alone. A publication that is
 * there already decides by itself. Debezium takes them all.
 */
export async function capturedTables(client: Client, settings: Settings): Promise<readonly CapturedTable[]> {
  const { rows } = await client.query<{ viaRoot: boolean | null }>(
    `select (to_jsonb(p) ->> 'pubviaroot')::boolean as "viaRoot" from pg_publication p where pubname = $1`,
    [settings.publication],
  );
  const streams = settings.snapshotRules.stream && rows.length > 0;
  const viaRoot = streams ? rows[0]?.viaRoot === true : settings.viaPartitionRoot;
  const wanted = (await listTables(client)).filter(({ schema, table }) => isWantedTable(settings.filters, schema, table));
  if (settings.values.compatible) return inSnapshotOrder(settings.filters, wanted);
  const wantedOids = new Set(wanted.map(({ oid }) => oid));
  const rootsWithPartitions = new Set(wanted.flatMap(({ ancestors }) => ancestors));
  const taken = wanted.filter(({ oid, ancestors }) =>
    viaRoot ? !ancestors.some((ancestor) => wantedOids.has(ancestor)) : !rootsWithPartitions.has(oid),
  );
  // A snapshot of more than the stream has would leave behind what nothing ever changes.
  const parts = streams ? await publishedParts(client, settings.publication) : undefined;
  return inSnapshotOrder(
    settings.filters,
    taken.map((table) => ({ ...table, published: parts?.get(table.oid) })),
  );
}
