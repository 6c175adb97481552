/** A primary and its standby, which synchronises failover slots (PostgreSQL 17 and later). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from '../../../test/services/command.ts';
import { createDataFolder, unprivilegedUser } from '../../../test/services/data-folder.ts';
import { freePort } from '../../../test/services/free-port.ts';
import { postgresBinaries } from '../../../test/services/postgres-binaries.ts';
import { startPostgres } from '../../../test/services/postgres.ts';
import type { PostgresAddress, PostgresServer } from '../../../test/services/postgres.ts';
import { startServer } from '../../../test/services/server.ts';
import type { Server } from '../../../test/services/server.ts';
import { sql } from './harness.ts';

export interface Pair extends AsyncDisposable {
  readonly primary: PostgresServer;
  readonly standby: Server & PostgresAddress;
}

/** The standby is a copy of the stopped primary: pg_basebackup is not among the binaries. */
export async function startPair(): Promise<Pair> {
  await using started = new AsyncDisposableStack();
  // Nothing is sent to readers of logical slots before the standby has it.
  const primary = started.use(await startPostgres({ version: '18', flags: ['-c', 'synchronized_standby_slots=standby'] }));
  const { rows } = await sql(primary, `select pg_create_physical_replication_slot('standby')`, 'show data_directory');
  const { data_directory: source } = rows[0] as { data_directory: string };
  await primary.stop();

  const runAs = unprivilegedUser();
  const folder = createDataFolder('standby', runAs, 'QUIT');
  const data = join(folder.path, 'data');
  await run('cp', ['-a', source, data]);
  writeFileSync(join(data, 'standby.signal'), '');
  const port = await freePort();
  const address: PostgresAddress = { ...addressOf(primary), port, url: primary.url.replace(`:${primary.port}/`, `:${port}/`) };
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    wal_level: 'logical',
    max_replication_slots: 30,
    max_wal_senders: 30,
    max_connections: 200,
    fsync: 'off',
    dynamic_shared_memory_type: 'mmap',
    hot_standby_feedback: 'on',
    primary_conninfo: `host=127.0.0.1 port=${primary.port} user=${primary.user} dbname=postgres`,
    primary_slot_name: 'standby',
    sync_replication_slots: 'on',
  };
  await primary.restart();
  const standby = started.use(
    await startServer({
      name: 'PostgreSQL 18, standby',
      command: (await postgresBinaries('18', runAs)).postgres,
      args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      runAs,
      folder,
      isReady: async () => (await sql(address, 'select 1')).rows.length === 1,
      readyWithinMs: 60_000,
      stopSignal: 'SIGINT',
      graceMs: 20_000,
      discardSignal: 'SIGQUIT',
    }),
  );
  const kept = started.move();
  return { primary, standby: Object.assign(standby, address), [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const addressOf = ({ host, port, user, password, database, url }: PostgresAddress): PostgresAddress => ({
  ...{ host, port, user, password, database, url },
});
