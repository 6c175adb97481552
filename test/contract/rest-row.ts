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
}

export interface Expected {
  readonly status: number;
  /** The whole body as JSON, exactly; null for an empty one. */
  readonly body?: unknown;
  /** A part of the body as text, or a pattern. */
  readonly text?: string | RegExp;
  readonly check?: (body: never) => void;
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
}

export const failure = (status: number, message: string): Expected => ({ status, body: { error_code: status, message } });

/** What the router itself answers: the body is not called JSON. */
export const unrouted = (status: number, reason: string): Expected => ({
  status,
  body: { error_code: status, message: `HTTP ${status} ${reason}` },
  headers: { 'content-type': null },
});

const patienceMs = 15_000;

export async function checkRow(base: string, row: RestRow, expected: Expected): Promise<void> {
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    try {
      return await attempt(base, row, expected);
    } catch (error) {
      if (!row.eventually || performance.now() > giveUp) throw error;
      await sleep(100);
    }
  }
}

async function attempt(base: string, row: RestRow, expected: Expected): Promise<void> {
  const body = row.text ?? (row.body === undefined ? undefined : JSON.stringify(row.body));
  const headers = { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...row.headers };
  // Bytes, since fetch gives a string a Content-Type of its own.
  const bytes = body === undefined ? null : Buffer.from(body);
  const response = await fetch(base + row.path, { method: row.method, headers, body: bytes, signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  const found = `${row.method} ${row.path} answered ${response.status}: ${text.slice(0, 2_000)}`;

  assert.equal(response.status, expected.status, found);
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    const header = response.headers.get(name);
    if (value instanceof RegExp) assert.match(header ?? '', value, `header ${name}`);
    else assert.equal(header, value, `header ${name}`);
  }
  if (expected.body === null) assert.equal(text, '', found);
  else if (expected.body !== undefined) assert.deepEqual(JSON.parse(text), expected.body, found);
  if (typeof expected.text === 'string') assert.ok(text.includes(expected.text), found);
  else if (expected.text) assert.match(text, expected.text, found);
  expected.check?.(JSON.parse(text) as never);
}
