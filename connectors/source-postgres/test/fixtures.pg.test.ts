import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import pg from 'pg';

import { createDatabase, startPostgres } from '../../../test/services/postgres.ts';
import type { PostgresServer } from '../../../test/services/postgres.ts';
import { asMessage, byTopic, connectorConfig, convertersOf, differences, recorded, transformed, transformsOf } from './fixtures.ts';
import type { Message } from './fixtures.ts';
import { isKnownDifference, scenarios } from './fixture-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { rawConfig, runTask } from './harness.ts';
import { runScript } from './psql-script.ts';

/** The version on which Debezium was recorded. */
let server: PostgresServer;
before(async () => void (server = await startPostgres({ version: '15' })));
after(() => server[Symbol.asyncDispose]());

describe('records are those of Debezium', () => {
  for (const scenario of scenarios) test(scenario.name, () => compareScenario(scenario, false));
});

describe('records are those of Debezium with its mistakes (debezium.bug.compatible)', () => {
  for (const scenario of scenarios) if (scenario.defaultOnly === undefined) test(scenario.name, () => compareScenario(scenario, true));
});

async function compareScenario(scenario: Scenario, compatible: boolean): Promise<void> {
  await using database = await createDatabase(server);
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  try {
    const [first, later] = scenario.scripts;
    for (const part of first) await runScript(client, part());
    const config = connectorConfig(scenario.config);
    const converters = convertersOf(config);
    const chain = await transformsOf(config);
    const heartbeats = config['topic.heartbeat.prefix'] ?? '__debezium-heartbeat';
    const isHeartbeat = ({ topic }: { readonly topic: string }): boolean => topic.startsWith(heartbeats);
    const own = rawConfig(database);
    const connection = Object.fromEntries(Object.entries(own).filter(([key]) => key.startsWith('database.') || key === 'slot.name'));
    await using running = await runTask({
      ...config,
      ...connection,
      'heartbeat.interval.ms': '100',
      'debezium.bug.compatible': String(compatible),
    });

    const snapshot = scenario.snapshot === undefined ? [] : recorded(scenario.snapshot);
    const stream = scenario.stream === undefined ? [] : recorded(scenario.stream);
    const expected = [...snapshot, ...stream].filter((message) => !isHeartbeat(message));
    const mine = (): Message[] =>
      transformed(
        running.records.filter((record) => !isHeartbeat(record)),
        chain,
      ).map((record) => asMessage(record, converters));
    // The first heartbeat says that the snapshot is over and the stream runs.
    await running.until((records) => records.some(isHeartbeat));
    await client.query('create table if not exists public.fixture_end (id int primary key)').catch(() => {});
    const keptUp = async (): Promise<void> => {
      const { rows } = await client.query<{ lsn: string }>("select (pg_current_wal_insert_lsn() - '0/0')::text as lsn");
      const end = Number(rows[0]?.lsn);
      await running.until((records) => records.some((record) => isHeartbeat(record) && Number(record.sourceOffset['lsn_commit']) >= end));
    };
    for (const part of later) await runScript(client, part(), keptUp);
    await keptUp();

    const found = compareAll(expected, mine(), scenario).filter((difference) => !isKnownDifference(scenario.name, difference, compatible));
    assert.deepEqual(
      found.slice(0, 40).map((d) => d.slice(0, 400)),
      [],
    );
  } finally {
    await client.end();
  }
}

/** Message by message within each topic; where a scenario is loose, those with the same key, operation and phase. */
function compareAll(expected: readonly Message[], found: readonly Message[], scenario: Scenario): string[] {
  const theirs = byTopic(expected);
  const ours = byTopic(found);
  const topics = [...new Set([...theirs.keys(), ...ours.keys()])];
  return topics.flatMap((topic) => {
    const left = theirs.get(topic) ?? [];
    const right = ours.get(topic) ?? [];
    if (scenario.loose) {
      return right.flatMap((message) => {
        const same = left.find((candidate) => identityOf(candidate) === identityOf(message));
        return same === undefined ? [] : differences(same, message, topic);
      });
    }
    const enough = left.length === right.length || (scenario.died !== undefined && left.length < right.length);
    const missing = enough ? [] : [`${topic}: ${left.length} messages expected, ${right.length} found`];
    return [
      ...missing,
      ...right.flatMap((message, index) => (left[index] === undefined ? [] : differences(left[index], message, `${topic}[${index}]`))),
    ];
  });
}

function identityOf({ key, value }: Message): string {
  const payload = (value as { payload?: { op?: string } } | null)?.payload;
  return JSON.stringify([(key as { payload?: unknown } | null)?.payload, payload?.op]);
}
