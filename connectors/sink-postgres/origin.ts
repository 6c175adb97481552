/**
 * The replication origin that a task's rows are written under, so that a source which reads the same tables can tell
 * them from others' and leave them out. Source: PostgreSQL, Replication Progress Tracking.
 */
import { ConfigError, RetriableError } from '@millrace/runtime/api';
import type { Client } from 'pg';

import { announcedBackend } from './connection.ts';
import { codeOf, explain } from './errors.ts';

export interface OriginOptions {
  /** What the names of all tasks begin with; nothing for no origin. */
  readonly prefix: string;
  readonly connector: string;
  readonly task: number;
}

/** A session of a former life may hold a name until the server notices that it is gone. */
const spareNames = 4;

/**
 * Marks what this session writes; returns the name. Rejects with a ConfigError where that cannot be (rights, a pooler in
 * between, no origin left), since a pair that copies both ways would echo for ever; with a RetriableError while all
 * of the task's names are in use.
 */
export async function setUpOrigin(client: Client, { prefix, connector, task }: OriginOptions): Promise<string | undefined> {
  if (prefix === '') return undefined;
  const refusal = (why: string): ConfigError =>
    new ConfigError(`millrace.origin=${prefix}: rows cannot be written under a replication origin: ${why}`);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  if (rows[0]?.pid !== announcedBackend(client)) {
    throw refusal('a connection pooler stands in between. Connect to the server itself, or leave millrace.origin out.');
  }
  const base = `${prefix}_${connector}_${task}`;
  for (let spare = 0; spare <= spareNames; spare++) {
    const name = spare === 0 ? base : `${base}_${spare}`;
    try {
      await client.query('select pg_replication_origin_session_setup($1)', [name]).catch(async (error: unknown) => {
        if (codeOf(error) !== '42704') throw error;
        await client.query('select pg_replication_origin_create($1)', [name]);
        await client.query('select pg_replication_origin_session_setup($1)', [name]);
      });
      return name;
    } catch (error) {
      switch (codeOf(error)) {
        case '55006':
        // Two tasks made it at once.
        // falls through
        case '23505':
        case '42710':
          continue;
        case '42501':
          throw refusal(
            `${(error as Error).message}. Let a superuser GRANT EXECUTE ON FUNCTION pg_replication_origin_create(text), ` +
              'pg_replication_origin_oid(text), pg_replication_origin_session_setup(text) to the user, or leave millrace.origin out.',
          );
        case '53400':
          throw refusal(`${(error as Error).message}. Raise max_replication_slots (max_active_replication_origins from PostgreSQL 18 on).`);
        case '42883':
        case '0A000':
        case '55000':
          throw refusal(`${(error as Error).message}.`);
      }
      throw explain(error, `set up replication origin "${name}"`);
    }
  }
  throw new RetriableError(`replication origin "${base}" and its ${spareNames} spare names are all in use.`, {
    hint: 'Another task of that name runs, or its sessions have not ended yet.',
  });
}
