import { openTaskFixture } from './test/task-fixture.ts';
import { registerTopicIdentity } from './test/topic-identity-suite.ts';

registerTopicIdentity('the embedded log', (task) => openTaskFixture({ task }));
