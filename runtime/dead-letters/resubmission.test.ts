import { openTestLog } from '../../test/contract/embedded-test-log.ts';
import { registerResubmission } from './test/resubmission-suite.ts';

registerResubmission('the embedded log', openTestLog);
