/** A thread that commits one row in each transaction, so many a second, and notes when each COMMIT had returned. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';
import { monotonicMs } from './latency-clock.ts';

export interface LatencyLoad {
  readonly url: string;
  readonly perSecond: number;
  readonly transactions: number;
  /** The ids that follow on this one are the rows'. */
  readonly firstId: number;
}

export interface LatencyCommits {
  /** In the order of the ids, on the clock of {@link monotonicMs}. */
  readonly sentMs: Float64Array;
  readonly committedMs: Float64Array;
}

const { url, perSecond, transactions, firstId } = workerData as LatencyLoad;
const connections = 8;
const insert = {
  name: 'insert',
  text: `insert into orders (id, customer_id, status, amount, note) values ($1, 4711, 'new', 12.34, '9df62e693988eb4e1e1444ece0578579')`,
};

const clients = Array.from({ length: connections }, () => new pg.Client({ connectionString: url }));
await Promise.all(clients.map((client) => client.connect()));
const sentMs = new Float64Array(transactions);
const committedMs = new Float64Array(transactions);
const all: Promise<void>[] = [];

async function commit(index: number): Promise<void> {
  const client = clients[index % connections]!;
  sentMs[index] = monotonicMs();
  await client.query({ ...insert, values: [firstId + index] });
  committedMs[index] = monotonicMs();
}

// An open loop: a slow commit does not hold back those that are due after it.
const begin = monotonicMs();
for (let next = 0; next < transactions; await sleep(1)) {
  const due = Math.min(transactions, Math.floor(((monotonicMs() - begin) / 1000) * perSecond) + 1);
  while (next < due) all.push(commit(next++));
}
await Promise.all(all);
await Promise.all(clients.map((client) => client.end()));
const commits: LatencyCommits = { sentMs, committedMs };
parentPort!.postMessage(commits);
