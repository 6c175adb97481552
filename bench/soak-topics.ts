/**
 * Reads the soak's topics as they grow, applies them in order (each has one partition), and looks whether what comes
 * may come so. Ids never come back once their row was deleted, and versions count by one.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { Kafka, logLevel } from 'kafkajs';
import type { Consumer } from 'kafkajs';

type Row = Readonly<Record<string, unknown>>;

interface Envelope {
  readonly op: 'r' | 'c' | 'u' | 'd' | 't';
  readonly before: Row | null;
  readonly after: Row | null;
  readonly source: { readonly ts_ms: number };
}

interface Known {
  version: number;
  dead: boolean;
}

class Topic {
  readonly rows = new Map<number, Row>();
  readonly known = new Map<number, Known>();
}

export interface SoakFigures {
  /** Creates, updates, deletes and truncates that came for the first time. */
  changes: number;
  read: number;
  /** Changes that came again: none with exactly-once. */
  repeated: number;
  /** The longest from a commit to its reader since it was last set to 0. */
  worstLagMs: number;
  readonly lagsMs: number[];
  readonly problems: Map<string, { count: number; example: string }>;
}

export interface SoakTopics extends AsyncDisposable {
  readonly figures: SoakFigures;
  /** What the topic applied in order makes: id → row. */
  rows(table: string): ReadonlyMap<number, Row>;
}

export function readSoakTopics(brokers: readonly string[], prefix: string, exactlyOnce: boolean): SoakTopics {
  const kafka = new Kafka({ clientId: 'soak', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const topics = new Map<string, Topic>();
  const consumers: Consumer[] = [];
  const stopping = new AbortController();
  const figures: SoakFigures = { changes: 0, read: 0, repeated: 0, worstLagMs: 0, lagsMs: [], problems: new Map() };

  function problem(what: string, example: string): void {
    const found = figures.problems.get(what);
    if (found) found.count++;
    else figures.problems.set(what, { count: 1, example });
  }

  function repeated(what: string, example: string): void {
    figures.repeated++;
    if (exactlyOnce) problem(what, example);
  }

  function apply(name: string, { rows, known }: Topic, value: string): void {
    const { op, before, after, source } = JSON.parse(value) as Envelope;
    const example = `${name}: ${value.slice(0, 400)}`;
    if (op !== 'r') {
      const lag = Date.now() - source.ts_ms;
      figures.worstLagMs = Math.max(figures.worstLagMs, lag);
      figures.lagsMs.push(lag);
    }
    if (op === 't') {
      // One that comes again is not told from another: after at-least-once's repetition it does no harm.
      figures.changes++;
      for (const id of rows.keys()) known.get(id)!.dead = true;
      return rows.clear();
    }
    const row = (op === 'd' ? before : after) as Row;
    const id = row['id'] as number;
    const earlier = known.get(id);
    if (op === 'd') {
      if (earlier === undefined) problem('a row was deleted that never came', example);
      else if (earlier.dead) repeated('a delete came again', example);
      else figures.changes++;
      rows.delete(id);
      known.set(id, { version: earlier?.version ?? 0, dead: true });
      return;
    }
    const version = row['version'] as number;
    rows.set(id, row);
    known.set(id, { version: Math.max(version, earlier?.version ?? 0), dead: false });
    if (op === 'r') {
      figures.read++;
      if (earlier?.dead) repeated('r came after the delete', example);
      else if (earlier && earlier.version > version) repeated('r came after a newer change', example);
      else if (earlier && earlier.version < version) problem('r came before the change it shows', example);
    } else if (earlier?.dead || (earlier && version <= earlier.version)) repeated('a change came again', example);
    else {
      figures.changes++;
      if (earlier ? version !== earlier.version + 1 : op !== 'c') problem('a change is missing before this one', example);
    }
  }

  async function follow(name: string): Promise<void> {
    const topic = new Topic();
    topics.set(name, topic);
    const consumer = kafka.consumer({ groupId: `soak-${name}`, maxWaitTimeInMs: 1_000, allowAutoTopicCreation: false });
    consumers.push(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics: [name], fromBeginning: true });
    let next = 0n;
    await consumer.run({
      eachBatch: async ({ batch }) => {
        for (const { offset, value } of batch.messages) {
          // The consumer itself may read again after a rebalance.
          if (BigInt(offset) < next) continue;
          next = BigInt(offset) + 1n;
          if (value !== null) apply(name, topic, value.toString());
        }
      },
    });
  }

  async function lookForTopics(): Promise<void> {
    const admin = kafka.admin();
    await admin.connect();
    try {
      while (!stopping.signal.aborted) {
        const found = await admin.listTopics();
        for (const name of found) if (name.startsWith(`${prefix}.public.soak_`) && !topics.has(name)) await follow(name);
        await sleep(2_000, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    } finally {
      await admin.disconnect();
    }
  }
  const looking = lookForTopics();
  looking.catch((error: unknown) => problem('the reader failed', String(error)));

  return {
    figures,
    rows: (table) => topics.get(`${prefix}.public.${table}`)?.rows ?? new Map<number, Row>(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await looking.catch(() => undefined);
      await Promise.all(consumers.map((consumer) => consumer.disconnect()));
    },
  };
}
