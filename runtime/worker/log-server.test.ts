import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, Worker } from 'node:worker_threads';

import { openTestLog } from '../../test/contract/embedded-test-log.ts';
import { at, batchOf, createTopic, until } from '../../test/contract/log-fixture.ts';
import type { Log, LogProducer } from '../ports/log.ts';
import { serveLog } from './log-server.ts';
import { remoteLog } from './remote-log.ts';

async function hasMembers(log: Log, groupId: string, topic: string): Promise<boolean> {
  try {
    await log.alterGroupOffsets(groupId, [at(topic, 0, 1)]);
    return false;
  } catch (error) {
    if ((error as Error).name === 'RetriableError') return true;
    throw error;
  }
}

async function endOf(log: Log, topic: string): Promise<bigint | undefined> {
  const [end] = await log.offsetsAt([{ topic, partition: 0 }], 'latest');
  return end?.offset;
}

/** A thread that produces and consumes over a port, ended in the middle of it. */
async function endedThread(log: Log): Promise<{ topic: string; groupId: string; release: () => Promise<void> }> {
  const topic = await createTopic(log);
  const groupId = `group-of-${topic}`;
  const { port1, port2 } = new MessageChannel();
  const served = serveLog(log, port2);
  const thread = new Worker(new URL('test/log-user-thread.ts', import.meta.url), {
    workerData: { port: port1, topic, groupId },
    transferList: [port1],
  });
  await once(thread, 'message');
  assert.equal(await hasMembers(log, groupId, topic), true);
  await thread.terminate();
  return { topic, groupId, release: () => served.release() };
}

test('after the release nothing of a dead thread writes, and it is in no group', async () => {
  await using opened = await openTestLog();
  const { topic, groupId, release } = await endedThread(opened.log);
  await release();
  const end = await endOf(opened.log, topic);
  assert.ok(end !== undefined && end > 0n);
  assert.equal(await hasMembers(opened.log, groupId, topic), false);
  await sleep(50);
  assert.equal(await endOf(opened.log, topic), end);
  await release();
});

test('a port that closes releases by itself', async () => {
  await using opened = await openTestLog();
  const { topic, groupId } = await endedThread(opened.log);
  await until('no members', async () => !(await hasMembers(opened.log, groupId, topic)));
});

test('what is just being opened is closed too, before the release resolves', async () => {
  await using opened = await openTestLog();
  const opening = Promise.withResolvers<void>();
  let closed = false;
  const slow: Log = {
    ...opened.log,
    async openProducer(options): Promise<LogProducer> {
      const producer = await opened.log.openProducer(options);
      await opening.promise;
      return {
        append: (batches) => producer.append(batches),
        async [Symbol.asyncDispose]() {
          await producer[Symbol.asyncDispose]();
          closed = true;
        },
      };
    },
  };
  const { port1, port2 } = new MessageChannel();
  const served = serveLog(slow, port2);
  const log = remoteLog(port1, 'embedded');
  const producer = log.openProducer({ clientId: 'late' });
  await log.clusterId();
  const released = served.release();
  opening.resolve();
  await released;
  assert.equal(closed, true);
  const late = await producer;
  await assert.rejects(late.append([batchOf('t', 0, ['x'])]), /this producer or reader of the log was closed/);
  await assert.rejects(log.openReader({ clientId: 'later' }), /this port to the log was closed/);
  port1.close();
});

test('the buffers of an append come back, and those handed over are gone', async () => {
  await using opened = await openTestLog();
  const { port1, port2 } = new MessageChannel();
  serveLog(opened.log, port2);
  const log = remoteLog(port1, 'embedded');
  const topic = await createTopic(log);
  const producer = await log.openProducer({ clientId: 'buffers' });
  const batch = batchOf(topic, 0, ['a', 'b']);
  const { byteLength } = batch.buffer;
  const [appended] = await producer.append([batch]);
  assert.ok(batch.buffer.detached);
  assert.equal(appended?.buffer.byteLength, byteLength);
  await producer[Symbol.asyncDispose]();
  port1.close();
});
