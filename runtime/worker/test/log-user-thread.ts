/** For tests: a thread that uses the log for all it is worth, until it is ended. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { batchOf } from '../../../test/contract/log-fixture.ts';
import { remoteLog } from '../remote-log.ts';

const { port, topic, groupId } = workerData as { port: MessagePort; topic: string; groupId: string };
const log = remoteLog(port, 'embedded');
const group = await log.openGroup({ clientId: 'user', groupId, topics: { names: [topic] } });
const producer = await log.openProducer({ clientId: 'user' });
const limits = { maxWaitMs: 100, maxBytes: 1 << 20 };

async function produce(): Promise<void> {
  for (let number = 0; ; number++) await producer.append([batchOf(topic, 0, [`value ${number}`])]);
}

async function consume(): Promise<void> {
  for (;;) {
    const event = await group.poll(limits);
    if (event.kind === 'records') parentPort?.postMessage('consumed');
  }
}

await Promise.all([produce(), consume()]);
