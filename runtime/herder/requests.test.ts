import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestError } from '../ports/herder.ts';
import { reaches, sourceConfig, startHerder } from './test/herder-fixture.ts';

const refused = (errors: string[]): string =>
  `Connector configuration is invalid and contains the following ${errors.length} error(s):\n${errors.join('\n')}\n` +
  'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`';

test('what is not there is said in the words of each endpoint', async () => {
  await using fixture = await startHerder();
  const { herder } = fixture;
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  const cases: [Promise<unknown>, string][] = [
    [herder.connectorInfo('X'), 'Connector X not found'],
    [herder.connectorConfig('X'), 'Connector X not found'],
    [herder.taskConfigs('X'), 'Connector X not found'],
    [herder.deleteConnector('X'), 'Connector X not found'],
    [herder.patchConfig('X', { a: 'b' }), 'Connector X not found'],
    [herder.offsets('X'), 'Connector X not found'],
    [herder.resetOffsets('X'), 'Connector X not found'],
    [herder.alterOffsets('X', [{ partition: {}, offset: null }]), 'Connector X not found'],
    [herder.status('X'), 'No status found for connector X'],
    [herder.taskStatus({ connector: 'X', task: 0 }), 'No status found for task X-0'],
    [herder.setTargetState('X', 'PAUSED'), 'Unknown connector X'],
    [herder.setTargetState('X', 'STOPPED'), 'Unknown connector X'],
    [herder.restartConnector('X', { includeTasks: true, onlyFailed: false }), 'Unknown connector: X'],
    [herder.restartTask({ connector: 'X', task: 9 }), 'Unknown connector: X'],
    [herder.restartTask({ connector: 'c', task: 9 }), 'Unknown task: c-9'],
    [herder.pluginConfig('X', undefined), 'Unknown plugin X.'],
  ];
  for (const [request, message] of cases) await assert.rejects(request, { name: 'RequestError', status: 404, message });
  assert.deepEqual(await herder.topics('X'), []);
  await herder.resetTopics('X');
});

test('a config is refused with everything that is wrong, before anything is stored', async () => {
  await using fixture = await startHerder({ settings: { overridePolicy: 'None', workerGroupId: 'workers' } });
  const { herder } = fixture;
  const cases: [string, Record<string, string | null>, string][] = [
    ['c', { 'connector.class': 'ScriptSource' }, refused(['Missing required configuration "topic" which has no default value.'])],
    [
      'c',
      sourceConfig({ topic: 'bad', 'producer.override.acks': '1' }),
      refused([
        'Invalid value bad for configuration topic: it is bad',
        "The 'None' policy does not allow 'acks' to be overridden in the connector configuration.",
      ]),
    ],
    ['c', { topic: 't', password: 'secret' }, 'Connector config {name=c} contains no connector type'],
    ['c', sourceConfig({ 'connector.class': 'No' }), 'Failed to find any class that implements Connector and which name matches No'],
    ['c', sourceConfig({ name: 'd' }), "Connector name configuration (d) doesn't match connector name in the URL (c)"],
    ['a\ud800', sourceConfig(), refused(['Invalid value "a\\ud800" for configuration name: half a surrogate pair is no character'])],
    [
      'a\nb',
      sourceConfig(),
      refused([
        'Invalid value "a\\nb" for configuration name: String may not contain control sequences but had the following ASCII chars: 10',
      ]),
    ],
    [
      'c',
      { ...sourceConfig(), file: null },
      refused(['Invalid value null for configuration file: a value must be a string; leave the key out instead.']),
    ],
    [
      'c',
      { 'connector.class': 'ScriptSink', topic: 't', 'consumer.override.group.id': 'workers' },
      refused([
        "The 'None' policy does not allow 'group.id' to be overridden in the connector configuration.",
        'Consumer group for sink connector named c conflicts with Connect worker group workers',
      ]),
    ],
    [
      'c',
      { 'connector.class': 'ScriptSink', topic: 't', topics: 'good, a b,..' },
      refused(
        ['"a b"', '".."'].map(
          (name) =>
            `Invalid value good, a b,.. for configuration topics: ${name} is no topic name: ` +
            'it must be of letters, digits, ".", "_" and "-", at most 249 of them, and not "." or "..".',
        ),
      ),
    ],
  ];
  for (const [name, config, message] of cases) {
    const expected = { name: 'RequestError', status: 400, message };
    await assert.rejects(herder.createConnector(name, config as Record<string, string>), expected);
    await assert.rejects(herder.putConfig(name, config as Record<string, string>), expected);
  }
  assert.deepEqual(await herder.connectors(), []);
});

test('a name is taken once, even by two requests at the same time; an invalid duplicate is invalid first', async () => {
  await using fixture = await startHerder();
  const { herder } = fixture;
  const both = await Promise.allSettled([herder.createConnector('c', sourceConfig()), herder.createConnector('c', sourceConfig())]);
  const failed = both.filter((result) => result.status === 'rejected').map(({ reason }) => reason as RequestError);
  assert.deepEqual(
    failed.map(({ status, message }) => [status, message]),
    [[409, 'Connector c already exists']],
  );
  await assert.rejects(herder.createConnector('c', { 'connector.class': 'ScriptSource' }), { status: 400 });
});

test('a connector cannot be renamed, and a name may hold a slash', async () => {
  await using fixture = await startHerder();
  const { herder } = fixture;
  await herder.createConnector('a/b', sourceConfig());
  await assert.rejects(herder.patchConfig('a/b', { name: 'other' }), { status: 400 });
  await assert.rejects(herder.patchConfig('a/b', { name: null }), { status: 400 });
  assert.equal((await herder.connectorConfig('a/b'))['name'], 'a/b');
  await herder.deleteConnector('a/b');
  assert.deepEqual(await herder.connectors(), []);
});

test('topic tracking can be off, or without reset', async () => {
  await using off = await startHerder({ settings: { topicTracking: { enabled: false, resettable: true } } });
  await assert.rejects(off.herder.topics('c'), { status: 403, message: 'Topic tracking is disabled.' });
  await using fixed = await startHerder({ settings: { topicTracking: { enabled: true, resettable: false } } });
  await assert.rejects(fixed.herder.resetTopics('c'), { status: 403, message: 'Topic tracking reset is disabled.' });
});

test('placeholders stay in what is stored and shown, and secrets out of every message', async () => {
  const worker = {
    'config.providers': 'env',
    'config.providers.env.class': 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
  };
  await using fixture = await startHerder({ worker });
  const { herder, tasks, plugins } = fixture;
  const config = sourceConfig({ topic: 't', password: '${env:DB_PASSWORD}', url: 'db://u:${env:DB_PASSWORD}@h' });
  await herder.createConnector('c', config);
  await reaches(herder, 'c', 'RUNNING RUNNING');
  const { connectorConfig, taskConfig } = tasks.running.get('c-0')?.spec ?? {};
  assert.deepEqual([connectorConfig?.['password'], taskConfig?.['url']], ['hunter22', 'db://u:hunter22@h']);
  assert.equal((await herder.connectorConfig('c'))['password'], '${env:DB_PASSWORD}');
  assert.equal((await herder.taskConfigs('c'))[0]?.config['url'], 'db://u:${env:DB_PASSWORD}@h');

  const infos = await herder.validate('ScriptSource', { ...config, topic: 'bad-${env:DB_PASSWORD}' });
  assert.equal(infos.configs[0]?.value.value, 'bad-${env:DB_PASSWORD}');
  assert.deepEqual(infos.configs[0]?.value.errors, ['Invalid value bad-${env:DB_PASSWORD} for configuration topic: it is bad']);
  await assert.rejects(herder.patchConfig('c', { topic: 'bad-${env:DB_PASSWORD}' }), (error: Error) => !error.message.includes('hunter22'));
  await assert.rejects(herder.patchConfig('c', { topic: '${env:MISSING}' }), {
    status: 400,
    message: /topic: \$\{env:MISSING\} cannot be resolved/,
  });

  tasks.running.get('c-0')?.events.failed({ connector: 'c', task: 0 }, 'login of hunter22 failed');
  assert.equal((await herder.taskStatus({ connector: 'c', task: 0 })).trace, 'login of [hidden] failed');
  plugins.taskConfigs = () => Promise.reject(new Error('no login with hunter22'));
  await herder.patchConfig('c', { topic: 'u' });
  await reaches(herder, 'c', 'FAILED FAILED');
  assert.match((await herder.status('c')).connector.trace ?? '', /no login with \[hidden\]/);
  assert.ok(!fixture.logged.join('\n').includes('hunter22'));
});

test('plugins, loggers and the server are described', async () => {
  await using fixture = await startHerder();
  const { herder, log } = fixture;
  assert.deepEqual(
    herder.plugins(true).map((plugin) => plugin.class),
    ['ScriptSource', 'ScriptSink'],
  );
  assert.equal(herder.plugins(false).length, 3);
  assert.deepEqual(await herder.pluginConfig('ScriptSource', '[1.0,2.0)'), []);
  await assert.rejects(herder.pluginConfig('ScriptSource', '[1.0'), { status: 400, message: 'Invalid version specification: [1.0' });
  await assert.rejects(herder.validate('X', {}), { status: 400, message: 'Connector config {name=null} contains no connector type' });
  assert.deepEqual(await herder.serverInfo(), { version: '0.1.0', commit: 'unknown', kafka_cluster_id: await log.clusterId() });

  assert.deepEqual(herder.logger('herder'), { level: 'INFO', last_modified: null });
  assert.throws(() => herder.logger('X'), { status: 404, message: 'Logger X not found.' });
  assert.throws(() => herder.logger('constructor'), { status: 404 });
  assert.deepEqual(await herder.setLogger('herder', 'debug', 'worker'), ['herder', 'herder.tasks']);
  assert.equal(herder.loggers()['herder.tasks']?.level, 'DEBUG');
  assert.equal(herder.loggers()['root']?.level, 'INFO');
  assert.equal(await herder.setLogger('new', 'WARN', 'cluster'), undefined);
  await assert.rejects(herder.setLogger('root', 'bogus', 'worker'), { status: 404, message: "invalid log level 'bogus'." });
});
