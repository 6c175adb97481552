import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutSecrets } from './config-providers.ts';

test('long secrets are taken out whole, short ones do not tear words apart', () => {
  assert.equal(withoutSecrets('user with pass-word and pass', ['pass', 'pass-word', 'u']), 'user with [hidden] and [hidden]');
});
