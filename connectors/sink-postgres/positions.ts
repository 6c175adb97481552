/**
 * Where each partition stands, in a table of the target: it moves in the transaction that writes the rows, so that a replay
 * changes nothing. With it go the topic's id (a topic made anew begins anew) and an epoch, which counts alterations by people.
 */
import { ConfigError, ConnectError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { codeOf, explain } from './errors.ts';
import { parseTableName, quoted } from './identifiers.ts';
import type { TableName } from './identifiers.ts';
import type { Place } from './places.ts';
import type { Settings } from './settings.ts';

export interface PositionTables {
  readonly positions: string;
  readonly refused: string;
}

type PositionSettings = Pick<Settings, 'offsetsTable' | 'connector' | 'address' | 'offsetsRequired'>;

export function positionTables({
  offsetsTable,
  address,
}: Pick<Settings, 'offsetsTable' | 'address'>): PositionTables & { readonly name: TableName } {
  const name = parseTableName(offsetsTable, address.database, false);
  return { name, positions: quoted(name), refused: quoted({ ...name, table: `${name.table}_refused` }) };
}

const definitions = ({ positions, refused }: PositionTables): string => `
  CREATE TABLE IF NOT EXISTS ${positions} (connector text, topic text, partition int, topic_id text NOT NULL, next_offset bigint,
    epoch bigint NOT NULL DEFAULT 0, changed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (connector, topic, partition));
  CREATE TABLE IF NOT EXISTS ${refused} (connector text, topic text, partition int, "offset" bigint, reason text NOT NULL,
    PRIMARY KEY (connector, topic, partition, "offset"))`;

/** Makes the tables where they are missing. Returns undefined, and says so, where positions cannot be kept and nobody asked for them. */
export async function openPositions(client: Client, settings: PositionSettings, log: Logger): Promise<PositionTables | undefined> {
  const { connector, offsetsTable, offsetsRequired } = settings;
  if (offsetsTable === '') return undefined;
  const tables = positionTables(settings);
  try {
    const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null and to_regclass($2) is not null as there', [
      tables.positions,
      tables.refused,
    ]);
    if (rows[0]?.there !== true) {
      const lock = pg.escapeLiteral(`millrace ${offsetsTable}`);
      await client.query(`begin; select pg_advisory_xact_lock(hashtextextended(${lock}, 0));${definitions(tables)}; commit`);
    }
    await requireRights(client, tables);
    return tables;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    const told = explain(error, `create table ${tables.positions}, in which positions are kept`);
    if (!['42501', '3F000'].includes(codeOf(error) ?? '')) throw told;
    const sql = definitions(tables).replaceAll(/\s+/g, ' ').trim();
    if (offsetsRequired) throw new ConfigError(told.message, { cause: error, hint: `Create it: ${sql}` });
    log.warn(
      `connector ${connector}: records may be written twice after a crash: ${told.message} Create it (${sql}), or set millrace.offsets.table to nothing.`,
    );
    return undefined;
  }
}

async function requireRights(client: Client, tables: PositionTables): Promise<void> {
  const rights = ['select', 'insert', 'update'].map((right) => `has_table_privilege($1, '${right}')`).join(' and ');
  const { rows } = await client.query<{ allowed: boolean }>(
    `select ${rights} and has_table_privilege($2, 'select, insert, delete') as allowed`,
    [tables.positions, tables.refused],
  );
  if (rows[0]?.allowed !== true) throw Object.assign(new Error(`permission denied for table ${tables.positions}`), { code: '42501' });
}

export interface StoredRow {
  readonly topic: string;
  readonly partition: number;
  readonly topic_id: string;
  readonly next: string | null;
  readonly epoch: string;
}

const key = (topic: string, partition: number): string => `${partition} ${topic}`;

/** Begins the transaction, and locks the places' positions until its end: nobody else writes these partitions meanwhile. */
export async function beginAt(
  client: Client,
  tables: PositionTables | undefined,
  connector: string,
  places: readonly Place[],
): Promise<Map<Place, StoredRow>> {
  const found = new Map<Place, StoredRow>();
  if (tables === undefined || places.length === 0) {
    await client.query('BEGIN');
    return found;
  }
  const name = pg.escapeLiteral(connector);
  const sorted = places.toSorted((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
  const fresh = sorted.filter(({ stored }) => stored === undefined);
  const insert = fresh.map(
    ({ topic, partition, topicId }) => `(${name}, ${pg.escapeLiteral(topic)}, ${partition}, ${pg.escapeLiteral(topicId)})`,
  );
  const wanted = sorted.map(({ topic, partition }) => `(${pg.escapeLiteral(topic)}, ${partition})`);
  const statements = [
    'BEGIN',
    ...(insert.length === 0
      ? []
      : [`INSERT INTO ${tables.positions} (connector, topic, partition, topic_id) VALUES ${insert.join(', ')} ON CONFLICT DO NOTHING`]),
    `SELECT topic, partition, topic_id, next_offset::text AS next, epoch::text FROM ${tables.positions} WHERE connector = ${name} ` +
      `AND (topic, partition) IN (${wanted.join(', ')}) ORDER BY topic, partition FOR UPDATE`,
  ];
  const results = (await client.query(statements.join('; '))) as unknown as readonly pg.QueryResult<StoredRow>[];
  const rows = new Map((results.at(-1)?.rows ?? []).map((row) => [key(row.topic, row.partition), row]));
  for (const place of sorted) {
    const row = rows.get(key(place.topic, place.partition));
    if (row !== undefined) found.set(place, row);
  }
  return found;
}

/** What a place's row means for the records that are about to be written. */
export type Standing =
  | { readonly kind: 'go'; readonly epoch: bigint; readonly next: bigint | undefined; readonly topicIsNew: boolean }
  /** The target has lost rows that were written: reading goes on where it stands. */
  | { readonly kind: 'behind'; readonly next: bigint };

/** Throws a ConnectError when the task has no business there any more. */
export function standingOf(place: Place, row: StoredRow | undefined): Standing {
  if (row === undefined) {
    if (place.stored === undefined) return { kind: 'go', epoch: 0n, next: undefined, topicIsNew: false };
    throw stale(place, 'its position was deleted');
  }
  const epoch = BigInt(row.epoch);
  const next = row.next === null ? undefined : BigInt(row.next);
  const { stored } = place;
  const otherTopic = row.topic_id !== '' && place.topicId !== '' && row.topic_id !== place.topicId;
  if (stored === undefined) return { kind: 'go', epoch, next: otherTopic ? undefined : next, topicIsNew: otherTopic };
  if (otherTopic) throw stale(place, 'the topic was deleted and made anew');
  if (stored.epoch !== epoch) throw stale(place, 'its offset was altered');
  if (stored.next !== undefined && (next === undefined || next < stored.next)) return { kind: 'behind', next: next ?? place.opened };
  return { kind: 'go', epoch, next, topicIsNew: false };
}

const stale = ({ topic, partition }: Place, what: string): ConnectError =>
  new ConnectError(`partition ${partition} of topic ${topic}: ${what} while this task wrote to it.`, { hint: 'Restart the task.' });

/** Offsets that were refused before a crash, from where the group stands on; those before are in the dead letters. */
export async function readRefused(
  client: Client,
  tables: PositionTables,
  connector: string,
  place: Place,
  forget: boolean,
): Promise<Map<bigint, string>> {
  const { topic, partition, opened } = place;
  const upTo = forget ? 'true' : '"offset" < $4::bigint';
  await client.query(
    `DELETE FROM ${tables.refused} WHERE connector = $1 AND topic = $2 AND partition = $3::int AND (${upTo} OR "offset" < $4::bigint)`,
    [connector, topic, partition, opened],
  );
  const { rows } = await client.query<{ offset: string; reason: string }>(
    `SELECT "offset"::text, reason FROM ${tables.refused} WHERE connector = $1 AND topic = $2 AND partition = $3::int`,
    [connector, topic, partition],
  );
  return new Map(rows.map(({ offset, reason }) => [BigInt(offset), reason]));
}

export interface Advance {
  readonly place: Place;
  readonly epoch: bigint;
  readonly next: bigint;
}

export interface RefusedOffset {
  readonly place: Place;
  readonly offset: bigint;
  readonly reason: string;
}

/** What ends the transaction: positions, refused offsets, COMMIT; one message. */
export function endSql(
  tables: PositionTables | undefined,
  connector: string,
  advances: readonly Advance[],
  refused: readonly RefusedOffset[],
): string {
  if (tables === undefined || advances.length === 0) return 'COMMIT';
  const name = pg.escapeLiteral(connector);
  const rows = advances.map(
    ({ place, next }) => `(${pg.escapeLiteral(place.topic)}, ${place.partition}, ${pg.escapeLiteral(place.topicId)}, ${next}::bigint)`,
  );
  const update =
    `UPDATE ${tables.positions} AS p SET next_offset = v.next, topic_id = v.id, changed_at = now() FROM (VALUES ${rows.join(', ')}) ` +
    `AS v(topic, partition, id, next) WHERE p.connector = ${name} AND p.topic = v.topic AND p.partition = v.partition`;
  const left = refused.map(
    ({ place, offset, reason }) =>
      `(${name}, ${pg.escapeLiteral(place.topic)}, ${place.partition}, ${offset}, ${pg.escapeLiteral(reason.replaceAll('\u0000', ''))})`,
  );
  const insert = left.length === 0 ? [] : [`INSERT INTO ${tables.refused} VALUES ${left.join(', ')} ON CONFLICT DO NOTHING`];
  return [update, ...insert, 'COMMIT'].join('; ');
}
