/** Transactions as task threads see them, over a channel to the thread that has the log. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { MessageChannel, Worker } from 'node:worker_threads';
import { createTopic, readPartition, uniqueName } from '../../test/contract/log-fixture.ts';
import type { OpenedLog } from '../../test/contract/log-fixture.ts';
import { registerTransactionContract } from '../../test/contract/log-transaction-contract.ts';
import { useKafka } from '../../test/services/share.ts';
import { openKafkaLog } from '../kafka/kafka-log.ts';
import { serveLog } from './log-server.ts';
import { remoteLog } from './remote-log.ts';

async function openRemoteLog(): Promise<OpenedLog> {
  const { brokers } = await useKafka();
  const local = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
  const { port1, port2 } = new MessageChannel();
  const served = serveLog(local, port2);
  const log = remoteLog(port1, 'kafka');
  return {
    log,
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]();
      await served.release();
      await local[Symbol.asyncDispose]();
    },
  };
}

registerTransactionContract(openRemoteLog, { atomicAppend: false, autoCreateTopics: true, transactions: true });

test('the open transaction of a thread that was terminated is aborted by the release', async () => {
  const { brokers } = await useKafka();
  await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
  const topic = await createTopic(log);
  const { port1, port2 } = new MessageChannel();
  const served = serveLog(log, port2);
  const thread = new Worker(new URL('test/transaction-user-thread.ts', import.meta.url), {
    workerData: { port: port1, topic, transactionalId: uniqueName('tx') },
    transferList: [port1],
  });
  await once(thread, 'message');
  await thread.terminate();
  await served.release();
  // Returns only when no transaction is open; the coordinator would wait for a minute.
  assert.deepEqual(await readPartition(log, topic, 0, 'read_committed'), []);
});
