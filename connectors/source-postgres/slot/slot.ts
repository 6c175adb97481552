/** The replication slot. */
import { setTimeout as sleep } from 'node:timers/promises';

import { ConfigError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { endClient } from '../connection/connection.ts';
import { explain } from '../connection/errors.ts';
import { parseLsn } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import type { Settings } from '../config/settings.ts';
import type { SlotFacts } from './slot-problem.ts';

export interface SlotState extends SlotFacts {
  /** Who reads from it: the id of a process of the server. */
  readonly activePid: number | null;
  /** Of pg_replication_slots: reserved, extended, unreserved, lost; null before PostgreSQL 13. */
  readonly walStatus: string | null;
  /** WAL that the server keeps for it. */
  readonly retainedBytes: number;
  /** WAL from what is confirmed to the end. */
  readonly unconfirmedBytes: number;
  /** What may still be written before it is in danger; null without max_slot_wal_keep_size. */
  readonly safeBytes: number | null;
  /** Whether it is synchronised to standbys; null before PostgreSQL 17. */
  readonly failover: boolean | null;
}

/** Of pg_replication_slots; the optional ones came with later versions. */
interface SlotRow {
  plugin: string | null;
  database: string | null;
  slot_type: string;
  restart_lsn: string | null;
  confirmed_flush_lsn: string | null;
  active_pid: number | null;
  wal_status?: string | null;
  safe_wal_size?: number | null;
  conflicting?: boolean | null;
  invalidation_reason?: string | null;
  failover?: boolean;
}

/** The slot of that name, or undefined. Throws a ConfigError for one of another kind or database. */
export async function findSlot(client: Client, { slot, database }: Settings): Promise<SlotState | undefined> {
  // As JSON, since each version has other columns.
  const { rows } = await client.query<{ row: SlotRow; wal_end: string | null; standby: boolean }>(
    `select to_jsonb(s) as row, pg_is_in_recovery() as standby,
      case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end::text as wal_end
    from pg_replication_slots s where slot_name = $1`,
    [slot],
  );
  const [found] = rows;
  if (found === undefined) return undefined;
  const { row } = found;
  if (row.slot_type !== 'logical' || row.plugin !== 'pgoutput' || row.database !== database) {
    const what = row.slot_type === 'logical' ? `uses plugin "${row.plugin}" in database "${row.database}"` : 'is a physical one';
    throw new ConfigError(`replication slot "${slot}" ${what}; a logical one with pgoutput in database "${database}" is needed.`, {
      hint: 'Choose another slot.name, or drop that slot.',
    });
  }
  const lsn = (text: string | null): Lsn => (text === null ? 0 : parseLsn(text));
  const walEnd = lsn(found.wal_end);
  const bytesSince = (text: string | null): number => (text === null ? 0 : Math.max(0, Number(BigInt(walEnd) - BigInt(lsn(text)))));
  return {
    confirmed: lsn(row.confirmed_flush_lsn),
    lost: row.wal_status === 'lost' || row.conflicting === true || (row.invalidation_reason ?? null) !== null,
    reason: row.invalidation_reason ?? undefined,
    // A standby may be about to receive the rest.
    walEnd: found.standby ? undefined : walEnd,
    activePid: row.active_pid,
    walStatus: row.wal_status ?? null,
    retainedBytes: bytesSince(row.restart_lsn),
    unconfirmedBytes: bytesSince(row.confirmed_flush_lsn),
    safeBytes: row.safe_wal_size ?? null,
    failover: row.failover ?? null,
  };
}

export interface CreatedSlot {
  /** Exactly what committed before this is in the snapshot. */
  readonly consistentPoint: Lsn;
  /** Lives until the connection does anything else. */
  readonly snapshot: string;
}

/**
 * Creates a slot on a replication connection, and exports the snapshot that goes with it. The server answers once the
 * transactions that run now have ended, which may take hours: the signal ends the connection.
 */
export async function createSlot(
  replication: Client,
  name: string,
  options: { temporary: boolean; failover: boolean; log?: Logger; signal: AbortSignal },
): Promise<CreatedSlot> {
  const { signal } = options;
  const stop = (): void => void endClient(replication);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    const failover = options.failover && (await takesFailover(replication, options.log)) ? ' (FAILOVER)' : '';
    // The replication grammar knows its words in capitals only.
    const temporary = options.temporary ? ' TEMPORARY' : '';
    const sql = `CREATE_REPLICATION_SLOT ${pg.escapeIdentifier(name)}${temporary} LOGICAL pgoutput${failover}`;
    const { rows } = await replication.query<{ consistent_point: string; snapshot_name: string }>(sql);
    const row = rows[0] as { consistent_point: string; snapshot_name: string };
    return { consistentPoint: parseLsn(row.consistent_point), snapshot: row.snapshot_name };
  } catch (error) {
    throw explain(error, `create replication slot "${name}"`);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** As Debezium's slot.failover: on a primary from PostgreSQL 17 on, elsewhere a warning. */
async function takesFailover(client: Client, log: Logger | undefined): Promise<boolean> {
  const { rows } = await client.query<{ version: string; standby: string }>(
    `select current_setting('server_version_num') as version, pg_is_in_recovery()::text as standby`,
  );
  const [row] = rows;
  const version = Math.floor(Number(row?.version) / 10_000);
  if (version >= 17 && row?.standby === 'false') return true;
  const why = version < 17 ? `PostgreSQL ${version} has no failover slots (17 and later do)` : 'the server is a standby';
  log?.warn(`slot.failover is set, but ${why}: the slot will not be there after a failover`);
  return false;
}

/** Makes a slot that was created without it one that is synchronised to standbys. It must not be in use. */
export async function setFailover(replication: Client, name: string): Promise<void> {
  try {
    await replication.query(`ALTER_REPLICATION_SLOT ${pg.escapeIdentifier(name)} (FAILOVER true)`);
  } catch (error) {
    throw explain(error, `set slot.failover on replication slot "${name}"`);
  }
}

/** Of a slot that was just let go of, the server may not know yet: so long it is tried again. */
const releasedWithinMs = 10_000;

export async function dropSlot(client: Client, name: string): Promise<void> {
  for (const startedMs = performance.now(); ;) {
    try {
      return void (await client.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1', [name]));
    } catch (error) {
      const inUse = (error as { code?: unknown }).code === '55006' && performance.now() - startedMs < releasedWithinMs;
      if (!inUse) throw explain(error, `drop replication slot "${name}"`);
      await sleep(100);
    }
  }
}

/** What the server and the user must be able to do, before anything is made. Throws a ConfigError. */
export async function checkServer(client: Client, user: string): Promise<void> {
  const { rows } = await client.query<{ wal_level: string; version: number; replicates: boolean }>(`
    select current_setting('wal_level') as wal_level, current_setting('server_version_num')::int as version,
      exists (select from pg_roles r where r.rolname = current_user and (r.rolsuper or r.rolreplication))
      or exists (select from pg_roles r where r.rolname = 'rds_replication' and pg_has_role(current_user, r.oid, 'member')) as replicates`);
  const [found] = rows;
  if (found === undefined) return;
  if (found.version < 120_000) {
    throw new ConfigError(`PostgreSQL ${Math.floor(found.version / 10_000)} is too old.`, { hint: 'Versions from 12 on are supported.' });
  }
  if (found.wal_level !== 'logical') {
    throw new ConfigError(`Postgres server wal_level property must be 'logical' but is: '${found.wal_level}'.`, {
      hint: 'Set wal_level = logical in postgresql.conf and restart PostgreSQL.',
    });
  }
  if (!found.replicates) {
    throw new ConfigError(`user "${user}" may not replicate.`, {
      hint: `Give it the right: ALTER ROLE ${pg.escapeIdentifier(user)} REPLICATION.`,
    });
  }
}
