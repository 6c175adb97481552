import { deepEqual, match, ok, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { actedOverrides } from '../embedded/acted-overrides.ts';
import { checkOverrides } from '../kafka/override-check.ts';
import { overrideProblems, overrideWarnings } from './client-overrides.ts';
import type { OverrideRules } from './client-overrides.ts';

const onKafka: OverrideRules = { overridePolicy: 'All', overrideCheck: (client, overrides) => checkOverrides(client, overrides) };
const embedded: OverrideRules = {
  overridePolicy: 'All',
  overrideCheck: (client, overrides) => checkOverrides(client, overrides, actedOverrides[client]),
};

const refused: readonly (readonly [kind: 'source' | 'sink', key: string, value: string, message: RegExp])[] = [
  ['source', 'producer.override.transactional.id', 't', /^producer.override.transactional.id: cannot be honoured: transactions.*Remove it/],
  ['source', 'producer.override.partitioner.class', 'x.Y', /Java classes cannot be loaded/],
  ['source', 'producer.override.acks', '1', /^producer.override.acks: "1" would lose records.*Take it out/],
  ['source', 'producer.override.max.request.size', '1MB', /"1MB" is no whole number/],
  ['source', 'producer.override.compression.type', 'zip', /"zip" must be one of none, gzip/],
  ['sink', 'consumer.override.auto.offset.reset', 'begin', /must be one of earliest/],
  ['sink', 'consumer.override.max.poll.records', '0', /no whole number of at least 1/],
  ['sink', 'consumer.override.partition.assignment.strategy', 'StickyAssignor', /StickyAssignor is not supported/],
];

const ignored: readonly (readonly [kind: 'source' | 'sink', key: string, message: RegExp])[] = [
  ['source', 'producer.override.linger.ms', /^producer.override.linger.ms has no effect: the pipeline makes whole batches/],
  ['source', 'producer.override.batch.size', /has no effect: batches are as large as what has gathered/],
  ['source', 'producer.override.lingre.ms', /do not know it either. Check the spelling/],
  ['source', 'consumer.override.fetch.min.bytes', /a source connector has no consumer of its own/],
  ['sink', 'producer.override.acks', /a sink connector has no producer of its own/],
  ['source', 'admin.override.sasl.jaas.config', /created by the worker's own client/],
];

describe("a connector's client overrides", () => {
  for (const [kind, key, value, message] of refused) {
    it(`refused: ${key}=${value}`, () => {
      for (const rules of [onKafka, embedded]) {
        // What means brokers does no harm there.
        if (rules === embedded && /\.(acks|strategy)$/.test(key)) continue;
        const problems = overrideProblems({ [key]: value }, kind, rules);
        deepEqual(
          problems.map((problem) => problem.key),
          [key],
        );
        match(problems[0]?.message ?? '', message);
      }
    });
  }

  for (const [kind, key, message] of ignored) {
    it(`without effect: ${key}`, () => {
      for (const rules of [onKafka, embedded]) {
        deepEqual(overrideProblems({ [key]: '1' }, kind, rules), []);
        const [warning, ...more] = overrideWarnings({ [key]: '1' }, kind, rules);
        deepEqual(more, []);
        match(warning ?? '', message);
      }
    });
  }

  it('acted on, or not on the embedded log', () => {
    const config = { 'producer.override.compression.type': 'lz4', 'producer.override.metadata.max.age.ms': '1000' };
    deepEqual(overrideWarnings(config, 'source', onKafka), []);
    deepEqual(overrideWarnings(config, 'source', embedded), ['producer.override.metadata.max.age.ms has no effect on the embedded log.']);
    deepEqual([...overrideProblems(config, 'source', onKafka), ...overrideProblems(config, 'source', embedded)], []);
  });

  it('of a source’s consumer, where it has an offset topic of its own', () => {
    const own = { 'offsets.storage.topic': 'own' };
    deepEqual(overrideWarnings({ ...own, 'consumer.override.isolation.level': 'read_uncommitted' }, 'source', onKafka), []);
    const [problem] = overrideProblems({ ...own, 'consumer.override.fetch.max.bytes': 'many' }, 'source', onKafka);
    match(problem?.message ?? '', /^consumer.override.fetch.max.bytes: "many" is no whole number/);
  });

  it('tells no value that may be a secret', () => {
    const config = { 'producer.override.sasl.client.callback.handler.class': 'hush', 'producer.override.sasl.jaas.config': 'hush' };
    const all = [
      ...overrideProblems(config, 'source', onKafka).map(({ message }) => message),
      ...overrideWarnings(config, 'source', embedded),
    ];
    ok(all.length > 0 && !all.join().includes('hush'));
  });

  it('against the policy', () => {
    const config = { 'producer.override.acks': 'all', 'admin.override.sasl.mechanism': 'PLAIN' };
    const keys = (overridePolicy: string): string[] =>
      overrideProblems(config, 'source', { ...onKafka, overridePolicy }).map(({ key }) => key);
    deepEqual(keys('All'), []);
    deepEqual(keys('None'), Object.keys(config));
    deepEqual(keys('Principal'), ['producer.override.acks']);
    throws(() => keys('Some'), /There are All, None and Principal/);
  });
});
