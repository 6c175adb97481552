/** What a worker holds while nothing happens: alone, with 1 task and with 20, beside Kafka Connect. */
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startConnect } from '../test/services/connect.ts';
import { startKafka } from '../test/services/kafka.ts';
import { startMillrace } from '../test/services/millrace.ts';
import { rssBytes } from './proc.ts';

export interface IdleFigures {
  readonly name: string;
  readonly readyAfterMs: number;
  readonly aloneBytes: number;
  readonly oneTaskBytes: number;
  readonly twentyTasksBytes: number;
}

interface Worker extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly readyAfterMs: number;
}

/** Long enough for what a start leaves behind to be given back. */
const settleMs = 10_000;

export async function benchIdle(say: (line: string) => void): Promise<IdleFigures[]> {
  await using kafka = await startKafka({ private: true });
  const folder = await mkdtemp(join(tmpdir(), 'millrace-idle-'));
  const file = join(folder, 'lines.txt');
  await appendFile(file, 'one line\n');
  try {
    const results: IdleFigures[] = [];
    const workers: [string, () => Promise<Worker>][] = [
      ['Millrace', () => startMillrace({ brokers: kafka.brokers })],
      ['Kafka Connect', () => startConnect({ brokers: kafka.brokers, group: `idle-${Date.now()}` })],
    ];
    for (const [name, start] of workers) {
      // The first start fills what is kept between starts (compiled code; the JVM's has none).
      if (name === 'Millrace') await (await start())[Symbol.asyncDispose]();
      await using worker = await start();
      results.push(await idleFigures(name, worker, file));
      const { readyAfterMs, aloneBytes, oneTaskBytes, twentyTasksBytes } = results.at(-1)!;
      say(
        `${name}: ready after ${(readyAfterMs / 1000).toFixed(1)} s, RSS ${[aloneBytes, oneTaskBytes, twentyTasksBytes].map(megabytes).join(' / ')} MB with 0 / 1 / 20 idle tasks`,
      );
    }
    return results;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function idleFigures(name: string, worker: Worker, file: string): Promise<IdleFigures> {
  const after = async (tasks: readonly number[]): Promise<number> => {
    for (const task of tasks) await createSource(worker.url, `idle-${task}`, file);
    await sleep(settleMs);
    return rssBytes(worker.pid);
  };
  return {
    name,
    readyAfterMs: worker.readyAfterMs,
    aloneBytes: await after([]),
    oneTaskBytes: await after([1]),
    twentyTasksBytes: await after(Array.from({ length: 19 }, (_, n) => n + 2)),
  };
}

async function createSource(url: string, name: string, file: string): Promise<void> {
  const config = { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector', file, topic: name };
  const answer = await fetch(`${url}/connectors/${name}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(config),
  });
  if (!answer.ok) throw new Error(`${url} refused ${name}: ${answer.status} ${await answer.text()}`);
}

export function megabytes(bytes: number): string {
  return String(Math.round(bytes / 1e6));
}
