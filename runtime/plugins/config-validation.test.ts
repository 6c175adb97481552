import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret, defineConfig } from '../api/index.ts';
import { checkConnector } from './check-connector.ts';
import { configInfos, mustParse, parseConfig } from './config-validation.ts';
import { discoverPlugins } from './plugin-index.ts';

const base = { importance: 'high', doc: 'd' } as const;
const def = defineConfig({
  flag: { ...base, type: 'boolean', default: false },
  count: { ...base, type: 'int', default: 1, rule: { kind: 'range', min: 1, max: 10 }, group: 'G' },
  small: { ...base, type: 'short', default: null },
  big: { ...base, type: 'long', default: 5 },
  ratio: { ...base, type: 'double', default: 0.5 },
  names: { ...base, type: 'list', default: [], group: 'G' },
  mode: { ...base, type: 'string', default: 'none', rule: { kind: 'one-of', values: ['none', 'all'] } },
  format: { ...base, type: 'string', default: 'A', rule: { kind: 'one-of', values: ['A', 'B'], ignoreCase: true } },
  topic: { ...base, type: 'string', rule: { kind: 'not-empty' } },
  secret: { ...base, type: 'password', default: null },
  odd: {
    ...base,
    type: 'int',
    default: null,
    rule: { kind: 'custom', check: (value) => (Number(value) % 2 === 1 ? undefined : 'must be odd') },
  },
  hidden: { ...base, type: 'string', default: '', internal: true },
});

describe('a config table', () => {
  it('parses as Connect does', () => {
    const { values, problems } = parseConfig(def, {
      flag: ' TRUE ',
      count: ' +7',
      names: ' a , b,c ',
      topic: ' t ',
      secret: 'pw',
      format: 'b',
      ratio: '1e-3',
      big: '9223372036854775807',
      other: 'x',
    });
    deepEqual(problems, []);
    const { secret, ...rest } = values;
    deepEqual(rest, {
      flag: true,
      count: 7,
      small: null,
      big: 2 ** 63,
      ratio: 0.001,
      names: ['a', 'b', 'c'],
      mode: 'none',
      format: 'b',
      topic: 't',
      odd: null,
      hidden: '',
    });
    ok(secret instanceof Secret && secret.reveal() === 'pw');
    deepEqual(parseConfig(def, { topic: 't', names: '' }).values['names'], []);
  });

  const problems: readonly (readonly [key: string, text: string, message: string])[] = [
    ['flag', 'yes', 'Invalid value yes for configuration flag: Expected value to be either true or false'],
    ['count', 'abc', 'Invalid value abc for configuration count: Not a number of type INT'],
    ['count', '1.5', 'Invalid value 1.5 for configuration count: Not a number of type INT'],
    ['count', '2147483648', 'Invalid value 2147483648 for configuration count: Not a number of type INT'],
    ['count', '0', 'Invalid value 0 for configuration count: Value must be at least 1'],
    ['count', '11', 'Invalid value 11 for configuration count: Value must be no more than 10'],
    ['small', '32768', 'Invalid value 32768 for configuration small: Not a number of type SHORT'],
    ['big', '', 'Invalid value  for configuration big: Not a number of type LONG'],
    ['ratio', 'x', 'Invalid value x for configuration ratio: Not a number of type DOUBLE'],
    ['mode', 'ALL', 'Invalid value ALL for configuration mode: String must be one of: none, all'],
    ['format', 'c', 'Invalid value c for configuration format: String must be one of (case insensitive): A, B'],
    ['topic', ' ', 'Invalid value  for configuration topic: String must be non-empty'],
    ['odd', '2', 'Invalid value 2 for configuration odd: must be odd'],
  ];
  for (const [key, text, message] of problems) {
    it(`refuses ${key}=${text}`, () => deepEqual(parseConfig(def, { topic: 't', [key]: text }).problems, [{ key, message }]));
  }

  it('misses what is required', () => {
    deepEqual(parseConfig(def, {}).problems, [
      { key: 'topic', message: 'Missing required configuration "topic" which has no default value.' },
    ]);
  });

  it('throws every problem at once', async () => {
    await rejects(async () => mustParse(def, { count: '0' }, 'thing'), {
      name: 'ConfigError',
      message: /^thing: .*at least 1; Missing required/,
    });
  });

  it('is described as REST has it', () => {
    const raw = { count: '0', topic: 't', secret: 'pw' };
    const infos = configInfos(def, raw, parseConfig(def, raw));
    equal(
      infos.some(({ value }) => value.name === 'hidden'),
      false,
    );
    deepEqual(
      infos.find(({ value }) => value.name === 'count'),
      {
        definition: {
          name: 'count',
          type: 'INT',
          required: false,
          default_value: '1',
          importance: 'HIGH',
          documentation: 'd',
          group: 'G',
          width: 'NONE',
          display_name: 'count',
          dependents: [],
          order: 1,
        },
        value: {
          name: 'count',
          value: '0',
          recommended_values: [],
          errors: ['Invalid value 0 for configuration count: Value must be at least 1'],
          visible: true,
        },
      },
    );
    deepEqual(infos.find(({ value }) => value.name === 'topic')?.definition?.required, true);
    equal(infos.find(({ value }) => value.name === 'secret')?.value.value, '[hidden]');
  });
});

describe('a connector config', () => {
  const sink = { name: 'x', 'connector.class': 'FileStreamSink', topics: 'a' };

  async function errors(raw: Record<string, string>): Promise<Record<string, readonly string[]>> {
    const { infos, problems } = await checkConnector(raw, await discoverPlugins());
    const found = infos.configs.filter(({ value }) => value.errors.length > 0);
    equal(infos.error_count, problems.length);
    return Object.fromEntries(found.map(({ value }) => [value.name, value.errors]));
  }

  it('may ask for restarts, but not for nonsense', async () => {
    const key = (name: string): string => `errors.restart.${name}`;
    const asking = { ...sink, [key('attempts')]: '-1', [key('delay.ms')]: '5000', [key('delay.max.ms')]: '5000' };
    deepEqual(await errors(asking), {});
    for (const [name, value] of [
      ['attempts', '-2'],
      ['attempts', 'many'],
      ['delay.ms', '0'],
      ['delay.max.ms', '4294967296'],
      ['reset.after.ms', '-1'],
    ] as const) {
      deepEqual(Object.keys(await errors({ ...asking, [key(name)]: value })), [key(name)], `${name}=${value}`);
    }
    match((await errors({ ...asking, [key('delay.ms')]: '5001' }))[key('delay.ms')]?.[0] ?? '', /longer than the longest.*=5000/);
    match((await errors({ ...sink, [key('delay.max.ms')]: '999' }))[key('delay.max.ms')]?.[0] ?? '', /delay\.ms=1000: the first wait/);
  });

  it('that is right has no errors, and the groups of Connect', async () => {
    deepEqual(await errors(sink), {});
    const { infos, connectorKind } = await checkConnector(
      { name: 's', 'connector.class': 'FileStreamSource', topic: 't' },
      await discoverPlugins(),
    );
    equal(connectorKind, 'source');
    equal(infos.name, 'FileStreamSource');
    deepEqual(infos.groups, [
      'Common',
      'Transforms',
      'Predicates',
      'Error Handling',
      'Topic Creation',
      'Exactly Once Support',
      'offsets.topic',
    ]);
  });

  it('needs a class', async () => {
    const index = await discoverPlugins();
    await rejects(checkConnector({ name: 'x' }, index), {
      name: 'ConfigError',
      message: 'Connector config {name=x} contains no connector type',
    });
    await rejects(checkConnector({ name: 'x', 'connector.class': 'Nope' }, index), /Failed to find any class/);
  });

  it('of a sink needs topics or a pattern, and no loop of dead letters', async () => {
    const { topics: _, ...none } = sink;
    deepEqual(Object.keys(await errors(none)), ['topics', 'topics.regex']);
    match((await errors({ ...sink, 'topics.regex': '.*' }))['topics']?.[0] ?? '', /mutually exclusive/);
    match((await errors({ ...sink, 'errors.deadletterqueue.topic.name': 'a' }))['topics']?.[0] ?? '', /DLQ topic 'a' may not be included/);
    const pattern = { ...sink, topics: '', 'topics.regex': 'a.*', 'errors.deadletterqueue.topic.name': 'ab' };
    match((await errors(pattern))['topics.regex']?.[0] ?? '', /DLQ topic 'ab' may not be matched/);
  });

  it('has its transforms, predicates and converters checked', async () => {
    const found = await errors({
      ...sink,
      'tasks.max': '0',
      transforms: 'a,b,c',
      'transforms.a.type': 'RegexRouter',
      'transforms.a.regex': '(',
      'transforms.a.replacement': 'x',
      'transforms.b.type': 'Nope',
      'transforms.b.predicate': 'missing',
      'value.converter': 'Nope',
      'key.converter': 'JsonConverter',
      'key.converter.schemas.enable': 'perhaps',
    });
    match(found['transforms.a.regex']?.[0] ?? '', /Invalid regex/);
    match(found['transforms.b.type']?.[0] ?? '', /Class Nope could not be found\. There are: cast/);
    match(found['transforms.b.predicate']?.[0] ?? '', /no such alias/);
    deepEqual(found['transforms.c.type'], ['Missing required configuration "transforms.c.type" which has no default value.']);
    match(found['value.converter']?.[0] ?? '', /Class Nope could not be found/);
    deepEqual(found['tasks.max'], ['Invalid value 0 for configuration tasks.max: Value must be at least 1']);
    match(found['key.converter.schemas.enable']?.[0] ?? '', /true or false/);
    match(
      (await errors({ ...sink, transforms: 'a,a', 'transforms.a.type': 'Filter' }))['transforms']?.[0] ?? '',
      /Duplicate alias provided/,
    );
  });

  it('asks the connector only when its own keys are right', async () => {
    match((await errors({ ...sink, file: '/nowhere/at/all' }))['file']?.[0] ?? '', /create it first/);
    deepEqual(Object.keys(await errors({ name: 's', 'connector.class': 'FileStreamSource' })), ['topic']);
  });
});
