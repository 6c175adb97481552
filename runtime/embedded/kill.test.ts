import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { createTestFolder } from '../../test/contract/embedded-test-log.ts';
import { readPartition } from '../../test/contract/log-fixture.ts';
import { openEmbeddedLog } from './embedded-log.ts';

const appender = fileURLToPath(new URL('../../test/contract/embedded-appender.ts', import.meta.url));

/** Lets the appender run for a moment after its first append, kills it, and returns what it printed. */
async function appendAndKill(directory: string, first: number, runMs: number): Promise<number[]> {
  const child = spawn(process.execPath, [appender, directory, `${first}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'close');
  let printed = '';
  child.stdout.setEncoding('utf8');
  const started = new Promise<void>((resolve) => {
    child.stdout.on('data', (text: string) => {
      printed += text;
      if (printed.split('\n').length > 3) resolve();
    });
  });
  await Promise.race([started, exited]);
  await sleep(runMs);
  child.kill('SIGKILL');
  const [code, signal] = (await exited) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL', `it ran until it was killed (exit code ${code})`);
  const lines = printed.slice(0, printed.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => /^\d+$/.test(line)).map(Number);
}

test('kill -9 at 10 random moments: what was acknowledged is there, whole, and offsets have no holes', async () => {
  await using folder = await createTestFolder();
  const acknowledged = new Set<number>();
  let next = 0;
  for (let round = 0; round < 10; round++) {
    for (const number of await appendAndKill(folder.path, next, randomInt(150))) acknowledged.add(number);
    await using log = await openEmbeddedLog(folder.path, { synchronous: 'normal' });
    const pairs = await readPartition(log, 'numbers', 0);
    const singles = await readPartition(log, 'numbers', 1);
    pairs.forEach((record, index) => assert.equal(record.offset, BigInt(index)));
    singles.forEach((record, index) => assert.equal(record.offset, BigInt(index)));
    const numbers = pairs.filter((_, index) => index % 2 === 0).map((record) => Number(record.value));
    pairs.forEach((record, index) => {
      if (index % 2 === 1) assert.equal(record.value?.length, ((numbers[(index - 1) / 2] as number) * 7919) % 30_000, 'nothing is torn');
    });
    assert.deepEqual(
      singles.map((record) => Number(record.value)),
      numbers,
      'both halves of each call are there, in one order',
    );
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].toSorted((a, b) => a - b),
      'each once, in order',
    );
    const stored = new Set(numbers);
    for (const number of acknowledged) assert.ok(stored.has(number), `${number} was acknowledged and is missing`);
    next = Math.max(-1, ...numbers) + 1;
  }
  assert.ok(acknowledged.size > 20, `${acknowledged.size} appends were acknowledged`);
});
