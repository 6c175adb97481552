/** What of an error reaches the main thread: its words, and whether its reason may pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from '../../test/contract/log-fixture.ts';
import { freePort } from '../../test/services/free-port.ts';
import { openTaskFixture, specOf } from './test/task-fixture.ts';

const failures: readonly (readonly [trouble: string, trace: RegExp, passes: boolean])[] = [
  ['poll connect', /connect ECONNREFUSED/, true],
  ['poll connect-unseen', /connect ECONNREFUSED/, true],
  ['poll throw', /thrown in the middle of it/, false],
  ['poll throw-later', /thrown from a timer/, false],
  ['poll exit', /ended with code 3 and no word/, false],
  ['poll leak-buffers', /more than its limit of 64 MiB/, false],
];

test('a task that fails says whether the reason may pass', async () => {
  await using fixture = await openTaskFixture();
  const port = String(await freePort());
  for (const [trouble, trace, passes] of failures) {
    const told = Promise.withResolvers<readonly [string, boolean | undefined]>();
    const name = trouble.replaceAll(' ', '-');
    const config = { 'connector.class': 'troublesome-source', trouble, note: port, 'calm.file': '/nowhere/calm', topic: name };
    await fixture.host.start(specOf(name, config), { ...fixture.events, failed: (_id, ...words) => told.resolve([words[0], words[1]]) });
    const [found, may] = await told.promise;
    assert.match(found, trace);
    assert.equal(may, passes, trouble);
    await until('its end', () => fixture.host.metrics().length === 0);
  }
});
