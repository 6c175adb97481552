import { openTestLog } from '../../test/contract/embedded-test-log.ts';
import { registerTopicFollower } from './test/topic-follower-suite.ts';

registerTopicFollower('the embedded log', () => openTestLog());
