import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { RawConfig } from '../api/index.ts';
import { parseConfig } from '../plugins/config-validation.ts';
import { restartConfig } from '../plugins/restart-config.ts';
import { restartDelayMs, restartPolicy } from './restart-policy.ts';

const of = (keys: Record<string, string>): RawConfig =>
  Object.fromEntries(Object.entries(keys).map(([key, value]) => [`errors.restart.${key}`, value]));

test('without attempts there is no policy', () => {
  equal(restartPolicy({}), undefined);
  equal(restartPolicy(of({ attempts: '0', 'delay.ms': '5' })), undefined);
  equal(restartPolicy(of({ attempts: ' ' })), undefined);
});

test('its defaults are those that configs are checked by', () => {
  const { values } = parseConfig(restartConfig, {});
  deepEqual(restartPolicy(of({ attempts: '3' })), {
    attempts: 3,
    delayMs: values['errors.restart.delay.ms'],
    delayMaxMs: values['errors.restart.delay.max.ms'],
    resetAfterMs: values['errors.restart.reset.after.ms'],
  });
  equal(restartPolicy(of({ attempts: '-1' }))?.attempts, Infinity);
});

test('waits double up to the longest, and are shortened by up to a half', () => {
  const policy = { attempts: 9, delayMs: 100, delayMaxMs: 1_000, resetAfterMs: 1 };
  const delays = (random: number): number[] => [0, 1, 2, 3, 4, 5_000].map((before) => restartDelayMs(policy, before, () => random));
  deepEqual(delays(1), [100, 200, 400, 800, 1_000, 1_000]);
  deepEqual(delays(0), [50, 100, 200, 400, 500, 500]);
});
