import { describe } from 'node:test';

import { registerAppendContract } from './log-append-contract.ts';
import type { LogCapabilities, OpenLog } from './log-fixture.ts';
import { registerCommitContract } from './log-commit-contract.ts';
import { registerGroupContract } from './log-group-contract.ts';
import { registerGroupRebalanceContract } from './log-rebalance-contract.ts';
import { registerReadContract } from './log-read-contract.ts';
import { registerTopicContract } from './log-topic-contract.ts';
import { registerTransactionContract } from './log-transaction-contract.ts';

/** What `runtime/ports/log.ts` promises, as tests: every log registers it. */
export function registerLogContract(name: string, open: OpenLog, capabilities: LogCapabilities): void {
  describe(`${name} keeps the log contract`, () => {
    registerTopicContract(open);
    registerAppendContract(open, capabilities);
    registerReadContract(open);
    registerTransactionContract(open, capabilities);
    registerGroupContract(open);
    registerCommitContract(open);
    registerGroupRebalanceContract(open);
  });
}
