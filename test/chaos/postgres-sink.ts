/** The PostgreSQL sink's target in chaos tests. */
import pg from 'pg';

import type { PostgresAddress } from '../services/postgres.ts';

/** Plain inserts, through a proxy; patient enough for a server that is away for a while. */
export function postgresSinkConfig(
  { user, password, database }: Pick<PostgresAddress, 'user' | 'password' | 'database'>,
  proxyPort: number,
  table: string,
): Record<string, string> {
  return {
    'connector.class': 'io.confluent.connect.jdbc.JdbcSinkConnector',
    'connection.url': `jdbc:postgresql://127.0.0.1:${proxyPort}/${database}`,
    'connection.user': user,
    'connection.password': password,
    'table.name.format': table,
    'insert.mode': 'insert',
    'pk.mode': 'none',
    'max.retries': '20',
    'retry.backoff.ms': '300',
  };
}

/** By a connection of its own, so that it does not mind what befell the server before. */
export async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
