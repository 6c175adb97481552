/** The replication slot. */
import { ConfigError } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { explain } from './errors.ts';
import { parseLsn } from './lsn.ts';
import type { Lsn } from './lsn.ts';
import type { Settings } from './settings.ts';

export interface SlotState {
  /** What was confirmed: the server sends nothing that committed before. */
  readonly confirmed: Lsn;
  /** The WAL that it needs is gone. */
  readonly lost: boolean;
  readonly activePid: number | null;
}

interface SlotRow {
  plugin: string | null;
  database: string | null;
  slot_type: string;
  confirmed: string | null;
  wal_status: string | null;
  active_pid: number | null;
}

/** The slot of that name, or undefined. Throws a ConfigError for one of another kind or database. */
export async function findSlot(client: Client, { slot, database }: Settings): Promise<SlotState | undefined> {
  const { rows } = await client.query<SlotRow>(
    'select plugin, database, slot_type, confirmed_flush_lsn::text as confirmed, wal_status, active_pid from pg_replication_slots where slot_name = $1',
    [slot],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  if (row.slot_type !== 'logical' || row.plugin !== 'pgoutput' || row.database !== database) {
    const what = row.slot_type === 'logical' ? `uses plugin "${row.plugin}" in database "${row.database}"` : 'is a physical one';
    throw new ConfigError(`replication slot "${slot}" ${what}; a logical one with pgoutput in database "${database}" is needed.`, {
      hint: 'Choose another slot.name, or drop that slot.',
    });
  }
  return { confirmed: row.confirmed === null ? 0 : parseLsn(row.confirmed), lost: row.wal_status === 'lost', activePid: row.active_pid };
}

export interface CreatedSlot {
  /** Exactly what committed before this is in the snapshot. */
  readonly consistentPoint: Lsn;
  /** Lives until the connection does anything else. */
  readonly snapshot: string;
}

/** Creates a slot on a replication connection, and exports the snapshot that goes with it. */
export async function createSlot(
  replication: Client,
  name: string,
  options: { temporary: boolean; failover: boolean },
): Promise<CreatedSlot> {
  // The replication grammar knows its words in capitals only.
  const temporary = options.temporary ? ' TEMPORARY' : '';
  const failover = options.failover ? ' (FAILOVER)' : '';
  const sql = `CREATE_REPLICATION_SLOT ${pg.escapeIdentifier(name)}${temporary} LOGICAL pgoutput${failover}`;
  try {
    const { rows } = await replication.query<{ consistent_point: string; snapshot_name: string }>(sql);
    const row = rows[0] as { consistent_point: string; snapshot_name: string };
    return { consistentPoint: parseLsn(row.consistent_point), snapshot: row.snapshot_name };
  } catch (error) {
    throw explain(error, `create replication slot "${name}"`);
  }
}

export async function dropSlot(client: Client, name: string): Promise<void> {
  try {
    await client.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1', [name]);
  } catch (error) {
    throw explain(error, `drop replication slot "${name}"`);
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
