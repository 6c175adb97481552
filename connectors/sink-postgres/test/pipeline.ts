/** Connector configs of a whole worker: PostgreSQL → log → PostgreSQL. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { MillraceServer } from '../../../test/services/millrace.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import type { RawConfig } from './harness.ts';

/** Debezium's source; `id` names slot, publication and topics. */
export const sourceConfig = (id: string, from: PostgresAddress, more: RawConfig = {}): RawConfig => ({
  'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
  'database.hostname': from.host,
  'database.port': String(from.port),
  'database.user': from.user,
  'database.password': from.password,
  'database.dbname': from.database,
  'topic.prefix': id,
  'plugin.name': 'pgoutput',
  'publication.name': id,
  'publication.autocreate.mode': 'filtered',
  'slot.name': id,
  ...more,
});

/** Debezium's sink as its documentation shows it. */
export const sinkConfig = (to: PostgresAddress, more: RawConfig = {}): RawConfig => ({
  'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
  'connection.url': `jdbc:postgresql://${to.host}:${to.port}/${to.database}`,
  'connection.username': to.user,
  'connection.password': to.password,
  'insert.mode': 'upsert',
  'delete.enabled': 'true',
  'primary.key.mode': 'record_key',
  'schema.evolution': 'basic',
  'use.time.zone': 'UTC',
  ...more,
});

/** Waits until `read` says the same of both, for as long as they change; rejects with both, and with what the tasks say. */
export async function untilEqual<T>(
  worker: MillraceServer,
  connectors: readonly string[],
  read: (which: 'source' | 'target') => Promise<T>,
): Promise<T> {
  let [last, changedMs] = ['', Date.now()];
  for (;;) {
    const [source, target] = [await read('source'), await read('target').catch(notYetThere)];
    if (JSON.stringify(source) === JSON.stringify(target)) return source;
    const both = JSON.stringify({ source, target });
    if (both !== last) [last, changedMs] = [both, Date.now()];
    if (Date.now() - changedMs > 60_000) break;
    await sleep(50);
  }
  const [source, target] = [await read('source'), await read('target').catch(notYetThere)].map((answer) =>
    JSON.stringify(answer, null, 1).split('\n'),
  );
  const lines = (source ?? []).flatMap((line, at) => (line === target?.[at] ? [] : [`${line} … ${target?.[at]}`]));
  const states = await Promise.all(connectors.map((name) => worker.status(name)));
  throw new Error(`${lines.slice(0, 50).join('\n')}\n${JSON.stringify(states, null, 1)}\n${worker.logTail()}`);
}

/** A table that the sink has still to make. */
function notYetThere(error: unknown): string {
  if ((error as { code?: string }).code === '42P01') return 'no table';
  throw error;
}
