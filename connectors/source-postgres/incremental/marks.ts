/** The rows in the signal table between which a chunk is read. Source: Debezium's InsertWindowCloser and DeleteWindowCloser. */
import type { Logger } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { codeOf } from '../connection/errors.ts';
import { parseLsn } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import type { SignalSettings, TableRef } from '../config/signal-settings.ts';

export interface Marks {
  open(client: Client, chunkId: string): Promise<void>;
  /** Resolves with a position behind the mark; undefined where there is none. */
  close(client: Client, chunkId: string): Promise<Lsn | undefined>;
}

const noMarks: Marks = { open: async () => {}, close: async () => undefined };

/** Where the table may not be written to, that is told once, and nothing marked from then on. */
export function createMarks({ table, marks, closeByDelete }: SignalSettings, log: Logger): Marks {
  let used = table === undefined || !marks ? noMarks : tableMarks(table, closeByDelete);
  async function unlessRefused<T>(write: () => Promise<T>): Promise<T | undefined> {
    try {
      return await write();
    } catch (error) {
      if (codeOf(error) !== '42501') throw error;
      used = noMarks;
      log.warn(
        `incremental snapshot: chunks are not marked in the signal table, since it cannot be written to: ${(error as Error).message}`,
      );
      return undefined;
    }
  }
  return {
    open: (client, chunkId) => unlessRefused(() => used.open(client, chunkId)),
    close: (client, chunkId) => unlessRefused(() => used.close(client, chunkId)),
  };
}

function tableMarks({ schema, table }: TableRef, closeByDelete: boolean): Marks {
  const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  const insert = `insert into ${name} values ($1, $2, $3)`;
  let openedAt = '';
  return {
    async open(client, chunkId) {
      openedAt = now();
      await client.query(insert, [`${chunkId}-open`, 'snapshot-window-open', `{"openWindowTimestamp": "${openedAt}"}`]);
    },
    async close(client, chunkId) {
      if (closeByDelete) await client.query(`delete from ${name} where id = $1`, [`${chunkId}-open`]);
      else {
        const data = `{"openWindowTimestamp": "${openedAt}", "closeWindowTimestamp": "${now()}"}`;
        await client.query(insert, [`${chunkId}-close`, 'snapshot-window-close', data]);
      }
      const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
      return parseLsn(rows[0]?.lsn ?? '0/0');
    },
  };
}

/** With microseconds, as Java's Instant prints itself. */
function now(): string {
  const us = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  return `${new Date(Math.floor(us / 1000)).toISOString().slice(0, -1)}${String(us % 1000).padStart(3, '0')}Z`;
}
