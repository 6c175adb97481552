/** The PostgreSQL sink under fire: plain inserts into a table without a key, where every double would be seen. */
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createDatabase, startPostgres } from '../services/postgres.ts';
import type { PostgresServer } from '../services/postgres.ts';
import { postgresSinkConfig, query } from './postgres-sink.ts';
import type { Random } from './seed.ts';
import type { Mishap, SinkTarget } from './sink-chaos.ts';
import { sinkChaos } from './sink-chaos.ts';
import { valueOf } from './sink-input.ts';
import type { Poison } from './sink-input.ts';
import { resubmitAll } from './sink-resubmission.ts';
import { startTcpFaultProxy } from './tcp-fault-proxy.ts';
import type { TcpFault, TcpFaultProxy } from './tcp-fault-proxy.ts';

const timeout = 90 * 60_000;
const table = 'items';

const poison: readonly Poison[] = [
  {
    kind: 'a character that text cannot hold',
    value: (id) => valueOf(id, { name: 'a\u0000b' }),
    stage: 'TASK_PUT',
    cause: /0x00|NUL|\\u0000|null character/i,
  },
  { kind: 'against a rule of the table', value: (id) => valueOf(id, { score: '-5' }), stage: 'TASK_PUT', cause: /positive/ },
];

function mishapsOf(server: PostgresServer, url: string, proxy: TcpFaultProxy, random: Random): Mishap[] {
  const forAWhile = async (fault: TcpFault, mostMs: number): Promise<string> => {
    const ms = random.between(100, mostMs);
    proxy.set(fault);
    await sleep(ms);
    proxy.set('pass');
    return `${typeof fault === 'object' ? 'slow' : fault} for ${ms} ms`;
  };
  return [
    () => forAWhile('refuse', 3_000),
    () => forAWhile('stall', 5_000),
    () => forAWhile('lose-answers', 2_000),
    () => forAWhile('lose-answers', 500),
    () => forAWhile({ delayMs: 20 }, 3_000),
    async () => {
      for (let n = random.between(1, 10); n > 0; n--) {
        proxy.cut();
        await sleep(random.between(0, 200));
      }
      return 'connections cut';
    },
    async () => {
      await query(
        url,
        `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()`,
      );
      return 'backends terminated';
    },
    async () => {
      await server.kill('SIGKILL');
      await sleep(random.between(0, 3_000));
      await server.restart();
      return 'PostgreSQL killed and started';
    },
    async () => {
      await server.restart();
      return 'PostgreSQL restarted';
    },
  ];
}

async function postgresTarget(random: Random, more: Readonly<Record<string, string>>): Promise<SinkTarget> {
  await using opened = new AsyncDisposableStack();
  const server = opened.use(await startPostgres({ private: true }));
  const { url, database, host, port, user, password } = opened.use(await createDatabase(server, 'chaos'));
  await query(url, `create table ${table} (id bigint, name text, score int constraint positive check (score >= 0))`);
  const proxy = opened.use(await startTcpFaultProxy({ host, port }));
  const kept = opened.move();
  return {
    config: {
      ...postgresSinkConfig({ user, password, database }, proxy.port, table),
      ...more,
    },
    poison,
    mishaps: mishapsOf(server, url, proxy, random),
    async calm() {
      proxy.set('pass');
    },
    progress: async () => Number((await query<{ n: string }>(url, `select count(*) as n from ${table}`))[0]?.n),
    async read(each) {
      for (const { id } of await query<{ id: string }>(url, `select id from ${table}`)) each(Number(id));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe('sink-postgres: target and dead letters are the input', () => {
  test('one worker; the dead letters are mended and resubmitted', { timeout }, (t) =>
    sinkChaos(t, {
      name: 'postgres',
      target: (_, random) => postgresTarget(random, {}),
      afterwards: (it) => resubmitAll(it, { straight: true }),
    }),
  );

  test('two workers, three tasks', { timeout }, (t) =>
    sinkChaos(t, { name: 'postgres', cluster: true, target: (_, random) => postgresTarget(random, { 'tasks.max': '3' }) }),
  );
});
