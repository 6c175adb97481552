import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineSource } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { checkConnector } from './check-connector.ts';
import { configWarnings } from './config-warnings.ts';
import { discoverPlugins } from './plugin-index.ts';
import { refusedSettings } from './refused-settings.ts';

const sink: RawConfig = { name: 'x', 'connector.class': 'FileStreamSink', topics: 'a' };
const source: RawConfig = { name: 'x', 'connector.class': 'FileStreamSource', topic: 'a' };

const deadLetters: RawConfig = {
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.name': 'dlq',
  'errors.deadletterqueue.topic.replication.factor': '1',
  'errors.deadletterqueue.context.headers.enable': 'true',
};

async function warned(raw: RawConfig, topicCreation = true): Promise<readonly string[]> {
  return configWarnings(raw, await discoverPlugins(), { topicCreation });
}

const warnings: readonly (readonly [name: string, config: RawConfig, message: RegExp | undefined])[] = [
  ['nothing of its own', sink, undefined],
  ['all that is acted on', { ...sink, 'errors.tolerance': 'all', 'tasks.max': '3', 'config.action.reload': 'none', file: 'f' }, undefined],
  [
    'a version of the connector',
    { ...sink, 'connector.plugin.version': '3.3' },
    /^connector.plugin.version=3.3 has no effect: there is one/,
  ],
  ['a version of a converter', { ...sink, 'key.converter.plugin.version': '1' }, /^key.converter.plugin.version=1 has no effect/],
  [
    'dead letters beside none',
    { ...sink, 'errors.deadletterqueue.context.headers.enable': 'true' },
    /context.headers.enable=true has no effect/,
  ],
  [
    'dead letters of records that are not skipped',
    { ...sink, 'errors.deadletterqueue.topic.name': 'dlq' },
    /^errors.deadletterqueue.topic.name=dlq has no effect: .* Set errors.tolerance=all/,
  ],
  ['dead letters', { ...sink, ...deadLetters }, undefined],
  ['dead letters of a source', { ...source, ...deadLetters }, undefined],
  ['their default', { ...sink, 'errors.deadletterqueue.context.headers.enable': 'FALSE' }, undefined],
  ['restarts', { ...sink, 'errors.restart.attempts': '-1', 'errors.restart.delay.ms': '5' }, undefined],
  [
    'how to restart what is not restarted',
    { ...sink, 'errors.restart.delay.ms': '5' },
    /^errors.restart.delay.ms=5 has no effect: .* without errors.restart.attempts/,
  ],
  ['transactions by time', { ...source, 'transaction.boundary': 'interval' }, /^transaction.boundary=interval has no effect/],
  ['keys that nobody knows', { ...sink, flie: 'f', other: '1' }, /^flie, other are keys that neither.*Check the spelling/],
  ['a source key in a sink', { ...sink, 'topic.creation.default.partitions': '1' }, /^topic.creation.default.partitions is a key/],
  ['notes of millrace apply', { ...sink, 'millrace.apply.owner': 'shop' }, undefined],
  ['other keys of ours', { ...sink, 'millrace.aply.owner': 'shop' }, /^millrace.aply.owner is a key/],
  ['client overrides', { ...sink, 'consumer.override.x': '1' }, undefined],
  [
    'settings of a converter that is not set',
    { ...sink, 'value.converter.schemas.enable': 'false' },
    /without value.converter the worker's own/,
  ],
  ['settings of one that is', { ...sink, 'value.converter': 'JsonConverter', 'value.converter.schemas.enable': 'false' }, undefined],
  [
    'an unknown setting of one',
    { ...sink, 'value.converter': 'JsonConverter', 'value.converter.url': 'u' },
    /^value.converter.url is a key/,
  ],
  [
    'an unwrap transform of old',
    {
      ...sink,
      transforms: 'u',
      'transforms.u.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.u.delete.handling.mode': 'rewrite',
    },
    /^transforms.u.delete.handling.mode=rewrite has no effect: .*delete.tombstone.handling.mode/,
  ],
  [
    'tracing',
    {
      ...sink,
      transforms: 'o',
      'transforms.o.type': 'io.debezium.transforms.outbox.EventRouter',
      'transforms.o.tracing.operation.name': 'x',
    },
    /^transforms.o.tracing.operation.name=x has no effect: no tracing/,
  ],
  ['a transform that is not in the list', { ...sink, 'transforms.u.type': 'Filter' }, /^transforms.u.type is a key/],
];

describe('a config is warned about', () => {
  for (const [name, config, message] of warnings) {
    it(name, async () => {
      const found = await warned(config);
      equal(found.length, message === undefined ? 0 : 1, found.join('\n'));
      if (message !== undefined) match(found[0] ?? '', message);
    });
  }

  it('topic creation, where the worker makes no topics', async () => {
    const creation = {
      'topic.creation.groups': 'g',
      'topic.creation.g.include': 'a.*',
      'topic.creation.default.partitions': '1',
      'topic.creation.default.cleanup.policy': 'compact',
    };
    deepEqual(await warned({ ...source, ...creation }), []);
    equal((await warned({ ...source, ...creation }, false)).length, 3);
  });
});

const refused: readonly (readonly [key: string, config: RawConfig, message: RegExp])[] = [
  ['transaction.boundary', { ...source, 'transaction.boundary': 'Connector' }, /Set it to poll/],
  ['offsets.storage.topic', { ...source, 'offsets.storage.topic': 'mine' }, /Remove the key; offsets that Connect kept/],
  ['topics.regex', { ...sink, topics: '', 'topics.regex': '(' }, /Invalid regex/],
  [
    'topic.creation.g.include',
    {
      ...source,
      'topic.creation.groups': 'g',
      'topic.creation.g.include': '(',
      'topic.creation.default.partitions': '1',
      'topic.creation.default.replication.factor': '1',
    },
    /Invalid regex/,
  ],
  [
    'predicates.p.pattern',
    { ...sink, predicates: 'p', 'predicates.p.type': 'TopicNameMatches', 'predicates.p.pattern': '[' },
    /Invalid regex/,
  ],
  [
    'transforms.c.type',
    { ...sink, transforms: 'c', 'transforms.c.type': 'Cast$Value', 'transforms.c.spec': 'a:b' },
    /^transforms.c: spec: cannot cast/,
  ],
  [
    'transforms.r.blacklist',
    { ...sink, transforms: 'r', 'transforms.r.type': 'ReplaceField$Value', 'transforms.r.blacklist': 'secret' },
    /blacklist is called exclude since Kafka 4.0/,
  ],
  [
    'value.converter',
    { ...sink, 'value.converter': 'StringConverter', 'value.converter.converter.encoding': 'EBCDIC' },
    /^value.converter: .*EBCDIC/,
  ],
];

describe('a config is refused', () => {
  for (const [key, config, message] of refused) {
    it(key, async () => {
      const { problems } = await checkConnector(config, await discoverPlugins());
      deepEqual(
        problems.map((problem) => problem.key),
        [key],
      );
      match(problems[0]?.message ?? '', message);
    });
  }

  it('for exactly-once where the connector cannot', async () => {
    const required = { ...source, 'exactly.once.support': 'REQUIRED' };
    deepEqual((await checkConnector(required, await discoverPlugins())).problems, []);
    const plugin = defineSource({ version: '1', config: {}, start: () => Promise.reject(new Error('not here')) });
    const [problem] = refusedSettings(required, plugin, 'atomic');
    equal(problem?.key, 'exactly.once.support');
    match(problem?.message ?? '', /does not implement the API required for preflight validation/);
  });
});
