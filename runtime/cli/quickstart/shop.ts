import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import type { PostgresAddress } from './postgres-server.ts';

export const shopDatabase = 'shop';

/** Creates the shop's database and tables where they are not there yet. True when it did. */
export async function openShop(address: PostgresAddress): Promise<boolean> {
  await inDatabase(address, 'postgres', async (client) => {
    const { rows } = await client.query('select from pg_database where datname = $1', [shopDatabase]);
    if (rows.length === 0) await client.query(`create database ${shopDatabase}`);
  });
  return inDatabase(address, shopDatabase, async (client) => {
    const { rows } = await client.query<{ there: boolean }>(`select to_regclass('public.outbox') is not null as there`);
    if (rows[0]?.there === true) return false;
    // Several statements sent as one are one transaction.
    await client.query(readFileSync(new URL('shop.sql', import.meta.url), 'utf8'));
    return true;
  });
}

/** Runs in a fresh connection. */
async function inDatabase<T>(address: PostgresAddress, database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...address, database });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** What customers and staff do, over and over. Disposal waits for the transaction that is under way. */
export interface Traffic extends AsyncDisposable {
  /** Transactions committed so far. */
  readonly transactions: number;
}

export interface TrafficOptions {
  /** One transaction is begun so often; Infinity: none at all. */
  readonly everyMs: number;
  readonly choose: () => string;
  readonly onError: (error: Error) => void;
}

const reconnectAfterMs = 1_000;

export function startTraffic(address: PostgresAddress, { everyMs, choose, onError }: TrafficOptions): Traffic {
  const stopping = new AbortController();
  let transactions = 0;

  const trade = async (): Promise<void> => {
    while (!stopping.signal.aborted && everyMs !== Infinity) {
      try {
        await inDatabase(address, shopDatabase, async (client) => {
          while (!stopping.signal.aborted) {
            await client.query(choose());
            transactions += 1;
            await pause(everyMs);
          }
        });
      } catch (error) {
        if (!stopping.signal.aborted) onError(error as Error);
        await pause(reconnectAfterMs);
      }
    }
  };
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopping.signal }).catch(() => {});
  const done = trade();
  return {
    get transactions() {
      return transactions;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await done;
    },
  };
}
