/** What befalls the connector of the soak, at random moments that follow from the seed. */
import { setTimeout as sleep } from 'node:timers/promises';

import type pg from 'pg';

import type { Random } from '../test/chaos/seed.ts';
import { until } from '../test/chaos/until.ts';
import type { MillraceServer } from '../test/services/millrace.ts';
import { putConnector } from './cluster-worker.ts';
import type { SoakLoad } from './soak-load.ts';

export interface SoakEventParts {
  readonly worker: MillraceServer;
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  readonly load: SoakLoad;
  /** A session of its own. */
  readonly client: pg.Client;
  readonly random: Random;
  /** From one to the next, on average. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** Resolves when the signal came and the last event is over: the connector runs then. */
export async function runSoakEvents(parts: SoakEventParts, counts: Map<string, number>): Promise<void> {
  const { worker, name, config, load, client, random, everyMs, signal, say } = parts;
  let signals = 0;

  const rest = async (method: string, path: string): Promise<void> =>
    // While it rebalances, a worker answers 409.
    until(`${method} ${path} is accepted`, async () => {
      await worker.request(method, `/connectors/${name}${path}`);
      return true;
    });
  const rests = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  const send = (type: string, data: unknown): Promise<unknown> =>
    client.query('insert into signals values ($1, $2, $3)', [`signal-${++signals}`, type, JSON.stringify(data)]);

  const events: Readonly<Record<string, () => Promise<string>>> = {
    'ALTER TABLE': () => load.alterTable(),
    'new table': () => load.createTable(),
    truncate: () => load.truncate(),
    async 'walsender terminated'() {
      await client.query('select pg_terminate_backend(active_pid) from pg_replication_slots where active_pid is not null');
      return '';
    },
    async 'all sessions terminated'() {
      const { rowCount } = await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where backend_type in ('client backend', 'walsender') and application_name <> 'soak'`,
      );
      return `${rowCount} of them`;
    },
    async 'pause and resume'() {
      const ms = random.between(2_000, 12_000);
      await rest('PUT', '/pause');
      await rests(ms);
      await rest('PUT', '/resume');
      return `paused for ${(ms / 1_000).toFixed(1)} s`;
    },
    async 'task restart'() {
      await rest('POST', '/tasks/0/restart');
      return '';
    },
    async 'connector restart'() {
      await rest('POST', '/restart?includeTasks=true');
      return '';
    },
    async 'incremental snapshot'() {
      await send('execute-snapshot', { 'data-collections': ['public.soak_.*'], type: 'incremental' });
      if (random.next() < 0.5) return 'all tables';
      await rests(random.between(100, 1_500));
      await send('pause-snapshot', {});
      await rests(random.between(500, 5_000));
      await send('resume-snapshot', {});
      return 'all tables, paused and resumed';
    },
    async 'config change'() {
      const changed = {
        'poll.interval.ms': String(random.between(50, 500)),
        'max.batch.size': String(random.between(500, 2_048)),
        'incremental.snapshot.chunk.size': String(random.between(20, 200)),
      };
      await putConnector(worker.url, name, { ...config, ...changed });
      return JSON.stringify(changed);
    },
  };

  const names = Object.keys(events);
  while (!signal.aborted) {
    await rests(everyMs * (0.4 + 1.2 * random.next()));
    // Now and then two, one upon the other.
    for (let left = random.next() < 0.25 ? 2 : 1; left > 0 && !signal.aborted; left--) {
      const event = names[random.between(0, names.length - 1)]!;
      const told = await events[event]!();
      counts.set(event, (counts.get(event) ?? 0) + 1);
      say(`${event}${told && `: ${told}`}`);
    }
  }
}
