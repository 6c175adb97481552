import { registerDeadLetters } from './test/dead-letter-suite.ts';
import { openTaskFixture } from './test/task-fixture.ts';

registerDeadLetters('the embedded log', () => openTaskFixture());
