/** The real Debezium and ours read the same random tables at the same time, and write the same. */
import { deepEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { isFull, seed } from '../chaos/seed.ts';
import { startConnect } from '../services/connect.ts';
import { startMillrace } from '../services/millrace.ts';
import { useKafka, usePostgres } from '../services/share.ts';
import { runRound } from './differential-round.ts';
import { openTopics } from './differential-topics.ts';

const tablesPerRound = 10;
/** MILLRACE_ROUNDS: how many; or which, as in `3,17`, or `3,`. */
const wanted = process.env['MILLRACE_ROUNDS'] ?? (isFull ? '30' : '1');
const rounds = wanted.includes(',')
  ? wanted.split(',').filter(Boolean).map(Number)
  : Array.from({ length: Number(wanted) }, (_, index) => index);

/** What runs everywhere must not find something new at a bad moment: it repeats one round, and a long run looks for more. */
const from = isFull || process.env['MILLRACE_SEED'] !== undefined ? seed : 77;

test(
  `random tables, configs and loads; seed ${from} (again with MILLRACE_SEED=${from}${isFull ? ' MILLRACE_CHAOS=full' : ''})`,
  { timeout: 60 * 60_000 },
  async (t) => {
    const { brokers } = await useKafka();
    const server = await usePostgres();
    const group = `differential-${randomBytes(4).toString('hex')}`;
    const properties = { 'plugin.discovery': 'service_load' };
    await using jvm = await startConnect({ brokers, group, logLevel: 'WARN', heap: ['-Xms128M', '-Xmx512M'], properties });
    await using millrace = await startMillrace({ brokers });
    await using topics = await openTopics(brokers);

    const problems: string[] = [];
    // A long run tells at once what it finds.
    const tell = (...lines: string[]): void => {
      problems.push(...lines);
      if (isFull) console.error(lines.join('\n'));
    };
    let same = 0;
    let records = 0;
    for (const round of rounds) {
      const name = `round ${round}`;
      const site = { server, topics, workers: { debezium: jvm.url, millrace: millrace.url } };
      let told: string[] = [];
      const begins = (config: object, ddl: readonly string[]): void => void (told = [JSON.stringify(config), ...ddl]);
      const result = await runRound({ ...site, begins }, name, tablesPerRound, from).catch((error: Error) =>
        tell(`${name}: ${error.message}`, ...told),
      );
      if (result === undefined) continue;
      records += result.records;
      const found = [...result.tables].filter(([, list]) => list.length > 0);
      same += result.tables.size - found.length;
      if (found.length === 0 && result.others.length === 0) continue;
      tell(`${name}, with ${JSON.stringify(result.config)}`, ...result.others.slice(0, 5));
      for (const [table, list] of found) {
        const definitions = result.ddl.filter((statement) => new RegExp(`\\b${table}\\b`).test(statement));
        tell(...definitions, ...list.slice(0, 10).map((line) => line.slice(0, 500)));
      }
    }
    t.diagnostic(`${same} of ${rounds.length * tablesPerRound} tables without a difference beyond the list, in ${records} records`);
    deepEqual(problems, []);
  },
);
