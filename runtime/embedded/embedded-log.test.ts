import { registerLogContract } from '../../test/contract/log-contract.ts';
import { openTestLog } from '../../test/contract/embedded-test-log.ts';

registerLogContract('the embedded log', () => openTestLog(), { atomicAppend: true, autoCreateTopics: true, transactions: false });
