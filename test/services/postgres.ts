import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { run } from './command.ts';
import { createDataFolder, unprivilegedUser } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import type { PostgresVersion } from './postgres-binaries.ts';
import { borrowedServer, startServer } from './server.ts';
import type { Server } from './server.ts';

export interface PostgresAddress {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export type PostgresServer = Server & PostgresAddress;

export interface PostgresOptions {
  /** 18 comes with npm, 15 from Debian; what MILLRACE_POSTGRES says by default, or else 18. */
  readonly version?: PostgresVersion;
  /** Further command line flags, such as ['-c', 'max_replication_slots=2']; they win over ours. */
  readonly flags?: readonly string[];
  /** With 'trust' (the default) any password will do. */
  readonly auth?: 'trust' | 'scram-sha-256';
  /** One of our own, even where POSTGRES_URL names one. Asking for anything else above implies it. */
  readonly private?: boolean;
}

const USER = 'postgres';
const PASSWORD = 'postgres';

/** A PostgreSQL ready for logical decoding: fresh, or the one that POSTGRES_URL names. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { version, flags, auth = 'trust', private: isPrivate = Boolean(version || flags || options.auth) } = options;
  const shared = process.env['POSTGRES_URL'];
  if (shared && !isPrivate) return Object.assign(borrowedServer('PostgreSQL', 'POSTGRES_URL'), addressOf(shared));

  const runAs = unprivilegedUser();
  const binaries = await postgresBinaries(version ?? defaultVersion(), runAs);
  const folder = createDataFolder('postgres', runAs, 'QUIT');
  const data = join(folder.path, 'data');
  const port = await freePort();
  const address = addressOf(`postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/postgres`);

  try {
    const passwordFile = join(folder.path, 'password');
    writeFileSync(passwordFile, PASSWORD, { mode: 0o644 });
    const initdb = ['-D', data, '-U', USER, '-A', auth, `--pwfile=${passwordFile}`];
    await run(binaries.initdb, [...initdb, '--no-locale', '--encoding=UTF8', '--no-sync'], { ...runAs, cwd: '/' });
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }

  const server = await startServer({
    name: `PostgreSQL ${version ?? defaultVersion()}`,
    command: binaries.postgres,
    args: ['-D', data, '-p', String(port), ...serverFlags(), ...(flags ?? [])],
    runAs,
    folder,
    isReady: () => answers(address),
    readyWithinMs: 60_000,
    stopSignal: 'SIGINT', // a "fast" shutdown
    graceMs: 20_000,
    discardSignal: 'SIGQUIT', // an "immediate" one, which still gives its shared memory back
  });
  const discard = server[Symbol.asyncDispose];
  return Object.assign(server, address, {
    async [Symbol.asyncDispose]() {
      const segment = sharedMemory(data);
      await discard();
      // After a kill -9 without a restart, nobody else would.
      if (segment) await run('ipcrm', ['-m', segment]).catch(() => {});
    },
  });
}

/** Which PostgreSQL a test gets that asks for none by name: `MILLRACE_POSTGRES=15` runs all of them on that one. */
export function defaultVersion(): PostgresVersion {
  const wanted = process.env['MILLRACE_POSTGRES'] || '18';
  if (wanted !== '18' && wanted !== '15') throw new Error(`MILLRACE_POSTGRES is ${wanted}: there are 18 and 15.`);
  return wanted;
}

function serverFlags(): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    wal_level: 'logical',
    max_replication_slots: 30,
    max_wal_senders: 30,
    max_connections: 200,
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Against the machine's death only, which no test brings about; a killed server loses nothing.
    fsync: 'off',
    // In the data folder, where it is cleared up after a kill -9, and not in /dev/shm.
    dynamic_shared_memory_type: 'mmap',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function addressOf(text: string): PostgresAddress {
  const url = new URL(text);
  return {
    url: text,
    host: url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)) || 'postgres',
  };
}

async function answers(address: PostgresAddress): Promise<boolean> {
  await using client = await connected(address.url);
  await client.query('select 1');
  return true;
}

async function connected(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

// The last word of the seventh line of postmaster.pid is the id of its System V segment; the file
// is there while the server runs, and after a crash.
function sharedMemory(data: string): string | undefined {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[6]?.trim().split(/\s+/)[1];
  } catch {
    return undefined;
  }
}

export type Database = AsyncDisposable & PostgresAddress;

/**
 * A fresh database whose name starts with `name` and is unique. Its disposal drops its replication
 * slots, whoever still reads from them, and itself.
 */
export async function createDatabase(server: PostgresAddress, name = 'test'): Promise<Database> {
  const database = `${name}_${randomBytes(4).toString('hex')}`;
  {
    await using admin = await connected(server.url);
    await admin.query(`create database ${pg.escapeIdentifier(database)} template template0`);
  }
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  return { ...addressOf(url.href), [Symbol.asyncDispose]: () => dropDatabase(server, database) };
}

async function dropDatabase(server: PostgresAddress, database: string): Promise<void> {
  await using admin = await connected(server.url);
  const quoted = pg.escapeIdentifier(database);
  // A connector that still runs would connect again faster than its slot could be dropped.
  await admin.query(`alter database ${quoted} allow_connections false`);
  for (;;) {
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database]);
    const { rows } = await admin.query<{ slot_name: string; active: boolean }>(
      'select slot_name, active from pg_replication_slots where database = $1',
      [database],
    );
    if (rows.length === 0) break;
    for (const slot of rows.filter((row) => !row.active)) {
      await admin.query('select pg_drop_replication_slot($1)', [slot.slot_name]);
    }
    if (rows.some((row) => row.active)) await sleep(20);
  }
  await admin.query(`drop database ${quoted} with (force)`);
}
