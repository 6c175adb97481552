/** Connectors in the config topic, put there by others, that name what a worker does not have. */
import { match, ok, rejects } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { Kafka, logLevel, Partitioners } from 'kafkajs';

import { until } from '../chaos/until.ts';
import { startMillrace } from '../services/millrace.ts';
import { useKafka } from '../services/share.ts';

const lacks =
  /bought: connector\.class=com\.acme\.JdbcSink, value\.converter=com\.acme\.Avro, \$\{vault:…\} in password; trimmed: transforms\.trim\.type=com\.acme\.Trim/;

test('what this worker cannot run: warned about when it is alone, refused beside others, FAILED when it comes later', async () => {
  const { brokers } = await useKafka();
  const group = `missing-${randomBytes(4).toString('hex')}`;
  await using first = await startMillrace({ brokers, group });

  // As a JVM leader writes them: it has these classes.
  const bought = {
    name: 'bought',
    'connector.class': 'com.acme.JdbcSink',
    topics: 'orders',
    'value.converter': 'com.acme.Avro',
    password: '${vault:secret/db:password}',
  };
  const trimmed = { name: 'trimmed', 'connector.class': 'FileStreamSource', file: '/etc/hostname', topic: `${group}-lines` };
  const trimming = { ...trimmed, transforms: 'trim', 'transforms.trim.type': 'com.acme.Trim' };
  await write(brokers, `${group}-configs`, [
    ['connector-bought', { properties: bought }],
    ['task-bought-0', { properties: { ...bought, 'task.class': 'com.acme.JdbcSinkTask' } }],
    ['commit-bought', { tasks: 1 }],
    ['connector-trimmed', { properties: trimming }],
  ]);

  await until('all of it fails, and says why', async () => {
    const [sink, source] = [await first.status('bought'), await first.status('trimmed')];
    match(
      sink.connector.trace ?? '',
      /connector bought cannot run on this worker: it has no plugin for connector\.class=com\.acme\.JdbcSink\./,
    );
    match(sink.tasks[0]?.trace ?? '', /task bought-0 cannot run on this worker: .*com\.acme\.JdbcSink\. Install the plugin/);
    match(source.tasks[0]?.trace ?? '', /transforms\.trim\.type: Class com\.acme\.Trim could not be found/);
    return [...sink.tasks, ...source.tasks, sink.connector].every(({ state }) => state === 'FAILED');
  });

  await rejects(startMillrace({ brokers, group }), (error: Error) => {
    match(error.message, /exit code 2/);
    match(error.message, lacks);
    match(error.message, /millrace\.join\.despite\.missing\.classes=true/);
    ok(error.message.includes(`Others are in it (${first.url}/)`), error.message);
    return true;
  });
  {
    await using despite = await startMillrace({ brokers, group, properties: { 'millrace.join.despite.missing.classes': 'true' } });
    match(
      despite.logTail(),
      /connector bought: this worker lacks connector\.class=com\.acme\.JdbcSink, .* in password\. Without a class it is FAILED/,
    );
    await despite.stop();
  }

  // Its own earlier life is still in the group, and nobody else.
  await first.kill('SIGKILL');
  await first.restart();
  match(first.logTail(), /connector trimmed: this worker lacks transforms\.trim\.type=com\.acme\.Trim\./);
});

async function write(brokers: readonly string[], topic: string, records: readonly (readonly [string, unknown])[]): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    await producer.send({ topic, messages: records.map(([key, value]) => ({ key, value: JSON.stringify(value) })) });
  } finally {
    await producer.disconnect();
  }
}
