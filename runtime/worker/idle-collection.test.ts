import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

const module = JSON.stringify(new URL('./idle-collection.ts', import.meta.url).href);

/** A thread of this code, in which `collectWhenIdle` and `parentPort` are there. */
function startThread(code: string): Worker & AsyncDisposable {
  const start = `import(${module}).then(({ collectWhenIdle }) => { const { parentPort } = require('node:worker_threads'); ${code} })`;
  const worker = new Worker(start, { eval: true });
  return Object.assign(worker, { [Symbol.asyncDispose]: async () => void (await worker.terminate()) });
}

test('a thread at rest collects, one at work does not', async () => {
  const collecting = `collectWhenIdle(() => parentPort.postMessage('collects'));`;
  await using atWork = startThread(
    `${collecting} setInterval(() => { const end = performance.now() + 100; while (performance.now() < end); }, 150);`,
  );
  let collects = false;
  atWork.on('message', () => (collects = true));
  await once(atWork, 'online');
  await using resting = startThread(`${collecting} setInterval(() => {}, 60_000);`);
  await once(resting, 'message');
  assert.equal(collects, false);
});

test('what is collected goes back to the system', async () => {
  setFlagsFromString('--expose-gc');
  await using thread = startThread(`
    let kept = Array.from({ length: 40 }, () => Array.from({ length: 50_000 }, (_, n) => n + 0.5));
    kept = undefined;
    collectWhenIdle();
    setInterval(() => {}, 60_000);
    parentPort.postMessage('ready');`);
  await once(thread, 'message');
  while ((await thread.getHeapStatistics()).total_heap_size > 12 * 1024 * 1024) await new Promise((resolve) => setTimeout(resolve, 100));
});
