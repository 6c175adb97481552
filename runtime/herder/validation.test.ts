import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOverrides } from '../kafka/override-check.ts';
import { createConfigProviders } from '../settings/config-providers.ts';
import { fileOffsetStore } from '../stores/file-offset-store.ts';
import { sourceConfig, startHerder } from './test/herder-fixture.ts';
import { validateConfig } from './validation.ts';

const settings = {
  version: '0',
  commit: '0',
  topicTracking: { enabled: true, resettable: true },
  overridePolicy: 'All',
  overrideCheck: checkOverrides,
};

test('exactly-once is granted where records and offsets are one write, and refused elsewhere', async () => {
  await using fixture = await startHerder();
  const { plugins: pluginHost, offsetStore } = fixture;
  const configProviders = createConfigProviders({});
  const config = sourceConfig({ name: 'c', 'exactly.once.support': 'required' });
  const granted = await validateConfig(config, { pluginHost, configProviders, settings, offsetStore });
  assert.equal(granted.error_count, 0);
  const onKafka = { pluginHost, configProviders, settings, offsetStore: fileOffsetStore('unused') };
  const { error_count: count, configs } = await validateConfig(config, onKafka);
  assert.equal(count, 1);
  const found = configs.find(({ value }) => value.name === 'exactly.once.support');
  assert.match(found?.value.errors[0] ?? '', /^exactly\.once\.support=required cannot be honoured: on Kafka .*Set it to requested/);
});

test('what overrides are refused for stands in the answer under their keys, without their values', async () => {
  await using fixture = await startHerder();
  const { plugins: pluginHost, offsetStore } = fixture;
  const configProviders = createConfigProviders({});
  const config = sourceConfig({ name: 'c', 'producer.override.sasl.login.class': 'hush' });
  const answer = await validateConfig(config, { pluginHost, configProviders, settings, offsetStore });
  assert.equal(answer.error_count, 1);
  assert.equal(answer.configs.find(({ value }) => value.name === 'producer.override.sasl.login.class')?.value.errors.length, 1);
  assert.doesNotMatch(JSON.stringify(answer.configs.filter(({ value }) => value.errors.length > 0)), /hush/);
});
