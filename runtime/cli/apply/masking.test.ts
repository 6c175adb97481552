import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { secretsOf, shownValue, withoutSecrets } from './masking.ts';

describe('shownValue', () => {
  for (const key of [
    ...['database.password', 'aws.secret.access.key', 'aws.access.key.id', 'api.key', 'apikey', 'ssl.keystore.key', 'ssl.key.password'],
    ...['auth.token', 'gcs.credentials.json', 'producer.override.ssl.truststore.password', 'transforms.x.key', 'PASSWD', 'key.passphrase'],
  ]) {
    test(`${key} is hidden`, () => assert.equal(shownValue(key, 'hunter'), '***'));
  }

  for (const key of [
    'key.converter',
    'message.key.columns',
    'key.converter.schemas.enable',
    'topic',
    'credentials.path',
    'monkey',
    'tasks.max',
  ]) {
    test(`${key} is shown`, () => assert.equal(shownValue(key, 'hunter'), 'hunter'));
  }

  for (const value of ['${file:/s/db.properties:password}', '${env:USER}:${env:PASSWORD}', '']) {
    test(`${JSON.stringify(value)} is shown, since it is no secret`, () => assert.equal(shownValue('database.password', value), value));
  }

  for (const [key, value, shown] of [
    ['database.password', 'x${env:P}', '***'],
    ['connection.url', 'jdbc:postgresql://me:hunter2@db/shop', 'jdbc:postgresql://me:***@db/shop'],
    [
      'connection.url',
      'jdbc:postgresql://db/shop?user=me&password=hunter2&ssl=true',
      'jdbc:postgresql://db/shop?user=me&password=***&ssl=true',
    ],
    ['connection.url', 'http://me:${env:P}@db/?password=${env:P}&a=b', 'http://me:${env:P}@db/?password=${env:P}&a=b'],
    ['sasl.jaas.config', 'X required username="me" password="hunter2";', 'X required username="me" password=***;'],
    ['sasl.jaas.config', 'X required username="me" password="${file:/a:b}";', 'X required username="me" password="${file:/a:b}";'],
    ['header.value', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', '***'],
    ['some.value', 'AKIAIOSFODNN7EXAMPLE', '***'],
    ['some.value', 'q8Zb3kPx0Lm2Vt7Yw5Rd9Fh1Jc4Ng6Ts', '***'],
    ['pem', '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----', '-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----'],
    ['connector.class', 'io.debezium.connector.postgresql.PostgresConnector', 'io.debezium.connector.postgresql.PostgresConnector'],
    ['slot.name', 'a_rather_long_slot_name_of_a_shop_db_1', 'a_rather_long_slot_name_of_a_shop_db_1'],
  ] as const) {
    test(`${key} = ${value.slice(0, 40)}…`, () => assert.equal(shownValue(key, value), shown));
  }
});

describe('withoutSecrets', () => {
  const secrets = secretsOf([
    { 'database.password': 'hunter2', pin: '1', 'pin.token': 'ab', 'other.password': '${env:P}' },
    { 'connection.url': 'jdbc:x://me:swordfish@db' },
  ]);

  test('takes out what configs hide, in its JSON form too, and short ones where they stand alone', () => {
    assert.equal(withoutSecrets('login hunter2 refused for swordfish: ab, cab', secrets), 'login *** refused for ***: ***, cab');
    assert.equal(withoutSecrets('{"p":"a\\"quote"}', secretsOf([{ password: 'a"quote' }])), '{"p":"***"}');
  });

  test('takes out what looks like one, wherever it comes from', () => {
    assert.equal(withoutSecrets('connect to http://me:xyz@db?password=abc', []), 'connect to http://me:***@db?password=***');
  });

  test('leaves the rest', () => {
    const text = 'Missing required configuration "topic" which has no default value. ${env:P}';
    assert.equal(withoutSecrets(text, secrets), text);
  });
});
