/** The table of worker keys says the same of the Kafka client's settings as the client itself (`used`: on either log). */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settingVerdict } from '../kafka/known-settings.ts';
import { prefixedKeys } from '../settings/client-keys.ts';

for (const kind of ['producer', 'consumer', 'admin'] as const) {
  test(`${kind} settings`, () => {
    // A worker names its clients and groups after connectors, whatever stands there.
    const entries = Object.entries(prefixedKeys[kind]).filter(([name]) => name !== 'client.id' && name !== 'group.id');
    const verdicts = entries.map(([name, key]) => ({ name, state: key.state, client: settingVerdict(kind, name).kind }));
    assert.deepEqual(
      verdicts.filter(({ state, client }) => (state === 'kafka' || state === 'used') !== (client === 'used')),
      [],
      'acted on',
    );
    assert.deepEqual(
      verdicts.filter(({ state, client }) => client === 'refused' && state !== 'refused'),
      [],
      'refused',
    );
  });
}
