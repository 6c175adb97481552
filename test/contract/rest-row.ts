/** One request of a table and what must come back; see `rest-table.ts`. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RestTableWorld {
  /** A text file with some lines that the worker can read. */
  readonly inputFile: string;
  /** A topic that nobody else uses. */
  readonly topic: string;
  /** Tells this run's connectors apart from others'. */
  readonly prefix: string;
}

export interface RestRow {
  readonly what: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expect: Expected;
  /** Where Kafka Connect answers otherwise, for a reason written in docs/differences-from-kafka-connect.md; null where it is not even asked. */
  readonly connect?: Expected | null;
  /** Asked again until it is so: the effect of a request before it comes a little later. */
  readonly eventually?: true;
  /** Needs tasks that really run. */
  readonly running?: true;
  /** Which worker of a cluster is asked; see `rest-workers.ts`. */
  readonly via?: Via;
}

/**
 * `first`: always the same; `leader` and `follower`; or one that does not run this connector, or this task of it.
 * Without any, what only reads is asked of every worker, what changes something of one worker after the other in turn.
 */
export type Via = 'first' | 'leader' | 'follower' | { readonly connectorNotOn: string } | { readonly taskNotOn: string };

export interface Expected {
  readonly status: number;
  /** The whole body as JSON, exactly; null for an empty one. */
  readonly body?: unknown;
  /** A part of the body as text, or a pattern. */
  readonly text?: string | RegExp;
  readonly check?: (body: never) => void;
  /** A function is told the URL of the worker that was asked. */
  readonly headers?: Readonly<Record<string, string | RegExp | null | ((base: string) => string)>>;
}

export const failure = (status: number, message: string): Expected => ({ status, body: { error_code: status, message } });

/** What the router itself answers: the body is not called JSON. */
export const unrouted = (status: number, reason: string): Expected => ({
  status,
  body: { error_code: status, message: `HTTP ${status} ${reason}` },
  headers: { 'content-type': null },
});

const patienceMs = 30_000;

export interface RowChecks {
  /** Also what the row does not call so comes a little later: another worker is asked than the one that did it. */
  readonly eventually?: boolean;
  /** A 409 because of a rebalance that is under way means: ask again. */
  readonly rebalances?: boolean;
}

/** Asks one worker. */
export async function checkRow(base: string, row: RestRow, expected: Expected, checks: RowChecks = {}): Promise<void> {
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask(base, row);
    try {
      return check(answer, row, expected, base);
    } catch (error) {
      const tooEarly = checks.rebalances && expected.status !== 409 && answer.status === 409 && /momentarily|rebalance/.test(answer.text);
      if (!(row.eventually || checks.eventually || tooEarly) || performance.now() > giveUp) throw error;
      await sleep(100);
    }
  }
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function ask(base: string, row: RestRow): Promise<Reply> {
  const body = row.text ?? (row.body === undefined ? undefined : JSON.stringify(row.body));
  const headers = { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...row.headers };
  // Bytes, since fetch gives a string a Content-Type of its own.
  const bytes = body === undefined ? null : Buffer.from(body);
  const ask = () => fetch(base + row.path, { method: row.method, headers, body: bytes, signal: AbortSignal.timeout(120_000) });
  // The real Connect closes connections after some answers, without a word of it in them: a read meets that, and asks anew.
  const reads = row.method === 'GET' || row.method === 'HEAD';
  const response = await ask().catch((error: unknown) => {
    if (!reads || (error as Error).name !== 'TypeError') throw error;
    return ask();
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function check({ status, text, headers }: Reply, row: RestRow, expected: Expected, base: string): void {
  const found = `${row.method} ${base}${row.path} answered ${status}: ${text.slice(0, 2_000)}`;
  assert.equal(status, expected.status, found);
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    const header = headers.get(name);
    if (value instanceof RegExp) assert.match(header ?? '', value, `header ${name}`);
    else assert.equal(header, typeof value === 'function' ? value(base) : value, `header ${name} of ${found}`);
  }
  if (expected.body === null) assert.equal(text, '', found);
  else if (expected.body !== undefined) assert.deepEqual(JSON.parse(text), expected.body, found);
  if (typeof expected.text === 'string') assert.ok(text.includes(expected.text), found);
  else if (expected.text) assert.match(text, expected.text, found);
  expected.check?.(JSON.parse(text) as never);
}
