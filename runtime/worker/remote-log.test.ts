/** The log as task threads see it, over a channel to the thread that has it, keeps the log's promises. */
import { MessageChannel } from 'node:worker_threads';

import { openTestLog } from '../../test/contract/embedded-test-log.ts';
import { registerLogContract } from '../../test/contract/log-contract.ts';
import type { OpenedLog } from '../../test/contract/log-fixture.ts';
import { serveLog } from './log-server.ts';
import { remoteLog } from './remote-log.ts';

async function openRemoteLog(): Promise<OpenedLog> {
  const local = await openTestLog();
  const { port1, port2 } = new MessageChannel();
  const served = serveLog(local.log, port2);
  const log = remoteLog(port1, 'embedded');
  return {
    log,
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]();
      await served.release();
      await local[Symbol.asyncDispose]();
    },
  };
}

registerLogContract('the remote log', openRemoteLog, { atomicAppend: true, autoCreateTopics: true, transactions: false });
