/** The two connectors of a round: Debezium, and ours, with one config. */
import { randomBytes } from 'node:crypto';

import type pg from 'pg';

import { until } from '../chaos/until.ts';
import type { ConnectorStatus } from '../services/millrace.ts';
import type { Database } from '../services/postgres.ts';
import type { Config } from './differential-config.ts';
import type { Table } from './differential-tables.ts';

export const sides = ['debezium', 'millrace'] as const;
export type Side = (typeof sides)[number];

/** Each row of it tells how far a connector has come. */
export const sentinel = 'zz_sentinel';
/** Each connector has a signal table of its own. */
export const signalTable = (side: Side): string => `zz_signals_${side}`;

export interface Pair extends AsyncDisposable {
  readonly prefix: Readonly<Record<Side, string>>;
  /** Until both stream. */
  streaming(): Promise<void>;
  stop(): Promise<void>;
  /** After a stop; until both stream again. */
  resume(): Promise<void>;
  /** Until `isSo`, or a connector has failed, which is thrown. */
  wait(what: string, isSo: () => Promise<boolean>): Promise<void>;
}

export async function startPair(
  workers: Readonly<Record<Side, string>>,
  client: pg.Client,
  database: Database,
  tables: readonly Table[],
  config: Config,
): Promise<Pair> {
  const id = randomBytes(4).toString('hex');
  const prefix = { debezium: `deb${id}`, millrace: `mil${id}` };
  const each = (method: string, path: string, body?: (side: Side) => unknown): Promise<unknown> =>
    Promise.all(sides.map((side) => call(workers[side], method, `/connectors/${prefix[side]}${path}`, body?.(side))));
  const end = (): Promise<void> => each('DELETE', '').then(() => {});
  try {
    await each('PUT', '/config', (side) => ({ ...connection(database, prefix[side], tables, side, config), ...config }));
  } catch (error) {
    await end().catch(() => {});
    throw error;
  }
  const wait: Pair['wait'] = (what, isSo) =>
    waitFor(what, () => Promise.all(sides.map((side) => mustRun(workers[side], prefix[side]))).then(() => {}), isSo);
  const streaming = (): Promise<void> => wait('both stream', () => bothStream(client, Object.values(prefix)));
  return {
    prefix,
    streaming,
    wait,
    async stop() {
      await each('PUT', '/stop');
      await wait('both have stopped', () => noneHolds(client, Object.values(prefix)));
    },
    async resume() {
      await each('PUT', '/resume');
      await streaming();
    },
    [Symbol.asyncDispose]: end,
  };
}

function connection(database: Database, prefix: string, tables: readonly Table[], side: Side, config: Config): Config {
  const viaRoot = config['publish.via.partition.root'] === 'true';
  const included = tables.flatMap(({ id, partitions }) => (partitions.length > 0 && !viaRoot ? partitions.map(inPublic) : [id]));
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': database.host,
    'database.port': String(database.port),
    'database.user': database.user,
    'database.password': database.password,
    'database.dbname': database.database,
    'topic.prefix': prefix,
    'plugin.name': 'pgoutput',
    'slot.name': prefix,
    'publication.name': prefix,
    'publication.autocreate.mode': 'filtered',
    'poll.interval.ms': '20',
    'table.include.list': [...included, inPublic(sentinel), inPublic(signalTable(side))].join(),
    'signal.data.collection': `public.${signalTable(side)}`,
    'topic.creation.default.partitions': '1',
    'topic.creation.default.replication.factor': '1',
  };
}

const inPublic = (table: string): string => `public\\.${table}`;

async function bothStream(client: pg.Client, slots: readonly string[]): Promise<boolean> {
  const { rowCount } = await client.query(
    "select from pg_replication_slots s join pg_stat_replication r on r.pid = s.active_pid where s.slot_name = any($1) and r.state = 'streaming'",
    [slots],
  );
  return rowCount === slots.length;
}

async function noneHolds(client: pg.Client, slots: readonly string[]): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_replication_slots where slot_name = any($1) and active', [slots]);
  return rowCount === 0;
}

async function call(worker: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(worker + path, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function mustRun(worker: string, name: string): Promise<void> {
  const answer = await fetch(`${worker}/connectors/${name}/status`);
  if (!answer.ok) return;
  const { connector, tasks } = (await answer.json()) as ConnectorStatus;
  for (const { state, trace } of [connector, ...tasks]) {
    if (state === 'FAILED')
      throw new Error(
        `${name} failed: ${trace
          ?.split('\n')
          .filter((line) => !/^\s+(at|\.\.\.) /.test(line))
          .join(' ')}`,
      );
  }
}

/** Until it is so, or a connector has failed. */
async function waitFor(what: string, failures: () => Promise<void>, isSo: () => Promise<boolean>): Promise<void> {
  let failed: Error | undefined;
  await until(
    what,
    async () => {
      if (await isSo()) return true;
      await failures().catch((error: Error) => void (failed = error));
      return failed !== undefined;
    },
    120_000,
    100,
  );
  if (failed !== undefined) throw failed;
}
