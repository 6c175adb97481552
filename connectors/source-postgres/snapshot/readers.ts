/** Connections that all stand on one snapshot. */
import { RetriableError } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { codeOf, explain } from '../connection/errors.ts';
import { parseLsn, walEndSql } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import type { Settings } from '../config/settings.ts';
import type { CapturedTable } from '../catalog/tables.ts';

export interface HeldSnapshot {
  /** Where the WAL was, when nothing else tells the snapshot's place in it. */
  readonly lsn: Lsn;
  readonly txId: number;
  readonly sees: string;
  /** No transaction beyond this is seen, in 64 bits. */
  readonly nextXid: number;
}

// A reader goes through a table in the order of its blocks, from the first: alone, and not where another scan is.
const inOrder = 'set local synchronize_seqscans = off; set local max_parallel_workers_per_gather = 0';

/**
 * Begins the transaction in which the first reader holds the snapshot: one that was exported, or now's. Each needs
 * REPEATABLE READ at least, whatever `snapshot.isolation.mode` says; only `serializable` asks for more, which
 * nobody can give to a snapshot that was exported elsewhere, nor a standby: it is for a snapshot that stands `alone`.
 */
export async function holdSnapshot(
  client: Client,
  exported: string | undefined,
  tables: readonly CapturedTable[],
  settings: Settings,
  alone: boolean,
): Promise<HeldSnapshot> {
  const safe = alone && settings.snapshotIsolation === 'serializable' && !(await inRecovery(client));
  await client.query(`begin isolation level ${safe ? 'serializable read only deferrable' : 'repeatable read read only'}`);
  if (exported !== undefined) await client.query(`set transaction snapshot ${pg.escapeLiteral(exported)}`);
  await client.query(inOrder);
  await lockTables(client, tables, settings);
  return heldSnapshot(client);
}

/** The snapshot of the transaction that is open. */
export async function heldSnapshot(client: Client): Promise<HeldSnapshot> {
  const { rows } = await client.query<{ lsn: string; xid: string; sees: string; next: string }>(`
    select ${walEndSql} as lsn,
      (txid_snapshot_xmax(s) & 4294967295)::text as xid, s::text as sees, txid_snapshot_xmax(s)::text as next
    from txid_current_snapshot() s`);
  const { lsn, xid, sees, next } = rows[0] as { lsn: string; xid: string; sees: string; next: string };
  return { lsn: parseLsn(lsn), txId: Number(xid), sees, nextXid: Number(next) };
}

async function inRecovery(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
  return rows[0]?.standby === true;
}

/** `snapshot.locking.mode=shared`: nobody can drop or rewrite the tables until the snapshot ends; rows change as ever. */
async function lockTables(client: Client, tables: readonly CapturedTable[], settings: Settings): Promise<void> {
  if (settings.snapshotLocking === 'none' || tables.length === 0) return;
  const names = tables.map(({ schema, table }) => `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`);
  try {
    await client.query(`set local lock_timeout = ${settings.snapshotLockTimeoutMs}`);
    await client.query(`lock table ${names.join(', ')} in access share mode`);
    await client.query('set local lock_timeout = 0');
  } catch (error) {
    const explained = explain(error, 'lock the tables for the snapshot');
    if (codeOf(error) !== '55P03') throw explained;
    throw new RetriableError(explained.message, {
      cause: error,
      hint: `Somebody held a table for longer than snapshot.lock.timeout.ms (${settings.snapshotLockTimeoutMs}).`,
    });
  }
}

/** Further connections on the snapshot that `client` holds. On failure those that were opened are in `opened`. */
export async function joinSnapshot(client: Client, count: number, open: () => Promise<Client>, opened: Client[]): Promise<void> {
  if (count <= 0) return;
  const { rows } = await client.query<{ name: string }>('select pg_export_snapshot() as name');
  const name = pg.escapeLiteral(rows[0]?.name ?? '');
  for (let i = 0; i < count; i++) {
    const reader = await open();
    opened.push(reader);
    await reader.query('begin isolation level repeatable read read only');
    await reader.query(`set transaction snapshot ${name}`);
    await reader.query(inOrder);
  }
}
