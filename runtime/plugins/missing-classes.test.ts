import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { describeMissing, missingClasses, missingConverters, providerNames } from './missing-classes.ts';
import { discoverPlugins } from './plugin-index.ts';

const index = await discoverPlugins();
const connector = (name: string, config: Readonly<Record<string, string>>) => ({ name, written: config, resolved: config });
const ofOne = (config: Readonly<Record<string, string>>, providers: readonly string[] = []) =>
  missingClasses([connector('one', config)], index, new Set(providers)).flatMap(({ missing }) => missing);

const postgres = 'io.debezium.connector.postgresql.PostgresConnector';

test('a connector that can run here is not named', () => {
  const config = {
    'connector.class': postgres,
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'JsonConverter',
    'header.converter': 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
    transforms: 'a, route',
    'transforms.a.type': 'org.apache.kafka.connect.transforms.Cast$Value',
    'transforms.a.predicate': 'gone',
    'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.route.replacement': '$1-${topic}',
    predicates: 'gone',
    'predicates.gone.type': 'org.apache.kafka.connect.transforms.predicates.RecordIsTombstone',
    'database.password': '${file:/secrets/db.properties:password}',
    // Neither among the aliases, so nothing is made of it.
    'transforms.unused.type': 'com.acme.Unused',
  };
  deepEqual(ofOne(config, ['file']), []);
  deepEqual(ofOne({ 'connector.class': 'FileStreamSource' }), []);
});

const cases: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
  ['a connector', { 'connector.class': 'com.acme.JdbcSink' }, ['connector.class=com.acme.JdbcSink']],
  [
    'converters, each of its own kind',
    {
      'connector.class': postgres,
      'key.converter': 'io.confluent.connect.avro.AvroConverter',
      'value.converter': 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
      'header.converter': 'com.acme.Headers',
    },
    [
      'key.converter=io.confluent.connect.avro.AvroConverter',
      'value.converter=org.apache.kafka.connect.storage.SimpleHeaderConverter',
      'header.converter=com.acme.Headers',
    ],
  ],
  [
    'transforms and predicates',
    {
      'connector.class': postgres,
      transforms: 'a,b',
      'transforms.a.type': 'com.acme.Trim$Key',
      'transforms.b.type': 'org.apache.kafka.connect.transforms.Filter',
      predicates: 'p',
      'predicates.p.type': 'com.acme.Even',
    },
    ['transforms.a.type=com.acme.Trim$Key', 'predicates.p.type=com.acme.Even'],
  ],
  [
    'config providers, without the path that they were asked for',
    {
      'connector.class': postgres,
      'database.password': 'x${vault:secret/db:password}${vault:secret/db:salt}',
      'database.user': '${env:USER}',
    },
    ['${vault:…} in database.password', '${env:…} in database.user'],
  ],
];
for (const [what, config, missing] of cases) {
  test(`what is missing is named: ${what}`, () => deepEqual(ofOne(config), missing));
}

test('a class that stands behind a placeholder is looked up as what it stands for', () => {
  const written = { 'connector.class': '${env:SINK}' };
  const resolved = { 'connector.class': 'com.acme.Sink' };
  const found = missingClasses([{ name: 'one', written, resolved }, connector('two', resolved)], index, new Set(['env']));
  equal(describeMissing(found), 'one: connector.class=com.acme.Sink; two: connector.class=com.acme.Sink');
});

test("the worker's own converters and providers are read from its file", () => {
  deepEqual(missingConverters({ 'key.converter': 'JsonConverter', 'value.converter': 'com.acme.Avro' }, index), [
    'value.converter=com.acme.Avro',
  ]);
  deepEqual([...providerNames({ 'config.providers': 'file, env' })], ['file', 'env']);
});
