/** For tests: a thread with a transaction that it never ends. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { batchOf } from '../../../test/contract/log-fixture.ts';
import { remoteLog } from '../remote-log.ts';

const { port, topic, transactionalId } = workerData as { port: MessagePort; topic: string; transactionalId: string };
const producer = await remoteLog(port, 'kafka').openTransactionalProducer({ clientId: 'user', transactionalId });
for (let number = 0; ; number++) {
  await producer.append([batchOf(topic, 0, [`value ${number}`])]);
  if (number === 10) parentPort?.postMessage('appended');
}
