import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { describePlugin, taskConfigsOf } from './connector-calls.ts';
import { loadPlugin } from './load-plugin.ts';
import { buildPipelineParts } from './pipeline-parts.ts';
import { discoverPlugins } from './plugin-index.ts';

describe('plugins', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-plugins-'))));
  after(() => rm(folder, { recursive: true }));

  async function addPackage(path: string, manifest: unknown, code = ''): Promise<void> {
    await mkdir(join(folder, path), { recursive: true });
    await writeFile(join(folder, path, 'package.json'), typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
    await writeFile(join(folder, path, 'index.js'), code);
  }

  const transform =
    "import { DataError } from '@millrace/runtime/api'; export const key = { kind: 'transform', config: {}, create: () => () => { throw new DataError('x') } };";
  const manifest = (name: string, entry: Record<string, unknown>): unknown => ({
    name,
    version: '3.1.4',
    type: 'module',
    millrace: { plugins: [{ module: './index.js', ...entry }] },
  });

  it('are found by name, class, simple name, short name and alias', async () => {
    const index = await discoverPlugins();
    const names = [
      'source-file',
      'org.apache.kafka.connect.file.FileStreamSourceConnector',
      'FileStreamSourceConnector',
      'FileStreamSource',
      ' FileStreamSource ',
    ];
    for (const name of names) equal(index.connector(name).name, 'source-file', name);
    equal(index.kindOf('FileStreamSink'), 'sink');
    equal(index.connector('PostgresConnector').name, 'source-postgres');
    equal(index.find('converter', 'Json'), index.find('converter', 'org.apache.kafka.connect.json.JsonConverter'));
    equal(index.find('transform', 'InsertField$Key')?.exportName, 'key');
    equal(index.find('transform', 'org.apache.kafka.connect.transforms.RegexRouter')?.name, 'regex-router');
    equal(index.find('sink', 'FileStreamSource'), undefined);
    ok(index.infos().some((info) => info.class === 'org.apache.kafka.connect.transforms.Filter' && info.type === 'transformation'));
  });

  it('that do not exist are answered with what there is', async () => {
    const index = await discoverPlugins();
    throws(() => index.connector('Nope'), {
      name: 'ConfigError',
      message:
        /^Failed to find any class that implements Connector and which name matches Nope, available connectors are: PluginDesc\{class=.*FileStreamSinkConnector/,
    });
  });

  it('all load, and say what they are configured by', async () => {
    const index = await discoverPlugins();
    for (const plugin of index.plugins) {
      if (plugin.name === 'source-postgres') continue;
      const loaded = await loadPlugin(plugin);
      equal(typeof loaded.config, 'object', plugin.name);
      ok((await describePlugin(plugin.class, index)) !== undefined);
    }
    equal(await describePlugin('Nope', index), undefined);
  });

  it('come from plugin.path: packages, folders of packages, scopes and node_modules', async () => {
    await addPackage('one', manifest('one', { kind: 'transform', name: 'one', class: 'com.acme.One', variants: ['Key'] }), transform);
    await addPackage('many/two', manifest('two', { kind: 'transform', name: 'two' }));
    await addPackage('many/@acme/three', manifest('@acme/three', { kind: 'predicate', name: 'three' }));
    await addPackage('app/node_modules/four', manifest('four', { kind: 'sink', name: 'four', aliases: ['vier'] }));
    const warnings: string[] = [];
    const index = await discoverPlugins([join(folder, 'one'), 'many', 'four'], { cwd: folder, warn: (text) => warnings.push(text) });
    equal(index.find('transform', 'One$Key')?.version, '3.1.4');
    ok(index.find('transform', 'two') && index.find('predicate', 'three'));
    equal(warnings.length, 1);
    match(warnings[0] ?? '', /no folder or installed package "four"/);
    const fromApp = await discoverPlugins(['four'], { cwd: join(folder, 'app') });
    equal(fromApp.connector('vier').name, 'four');
  });

  it('share the runtime, wherever they are installed', async () => {
    await addPackage('shared', manifest('shared', { kind: 'transform', name: 'shared', variants: ['Key'] }), transform);
    const index = await discoverPlugins([join(folder, 'shared')]);
    const descriptor = index.find('transform', 'shared$Key');
    ok(descriptor !== undefined);
    const { create } = await loadPlugin({ ...descriptor, kind: 'transform' });
    throws(() => create({})({} as never), { name: 'DataError' });
  });

  it('that are broken are warned about, and the others stay', async () => {
    await addPackage('broken/a', '{');
    await addPackage('broken/b', manifest('b', { kind: 'nonsense', name: 'b' }));
    await addPackage('broken/c', { name: 'no plugins' });
    await addPackage('broken/d', manifest('d', { kind: 'sink', name: 'd', module: './missing.js' }));
    await addPackage('broken/e', manifest('e', { kind: 'sink', name: 'e' }), 'export default {}');
    await addPackage('jvm', '{}');
    const warnings: string[] = [];
    const index = await discoverPlugins([join(folder, 'broken'), join(folder, 'jvm')], { warn: (text) => warnings.push(text) });
    equal(warnings.length, 3, warnings.join('\n'));
    match(warnings.join('\n'), /kind must be one of[^]*JVM plugins cannot run here/);
    await rejects(loadPlugin(index.connector('d')), { name: 'ConfigError', message: /cannot load the sink d of d: Cannot find module/ });
    await rejects(loadPlugin(index.connector('e')), { name: 'ConfigError', message: /is no sink plugin, it lacks "start"/ });
  });

  it('declared twice: the first wins', async () => {
    const warnings: string[] = [];
    await addPackage(
      'again',
      manifest('again', { kind: 'sink', name: 'mine', class: 'org.apache.kafka.connect.file.FileStreamSinkConnector' }),
    );
    const index = await discoverPlugins([join(folder, 'again')], { warn: (text) => warnings.push(text) });
    equal(index.connector('FileStreamSink').name, 'sink-file');
    match(warnings[0] ?? '', /declared by @millrace\/sink-file and by again/);
  });

  it("make a pipeline: the connector's converters or the worker's, and a chain of transforms", async () => {
    const index = await discoverPlugins();
    const worker = { 'key.converter': 'StringConverter', 'value.converter': 'JsonConverter', 'value.converter.schemas.enable': 'false' };
    const raw = {
      name: 'x',
      'connector.class': 'FileStreamSource',
      topic: 't',
      transforms: 'route, drop',
      'transforms.route.type': 'RegexRouter',
      'transforms.route.regex': '(.*)',
      'transforms.route.replacement': 'to-$1',
      'transforms.drop.type': 'Filter',
      'transforms.drop.predicate': 'p',
      'transforms.drop.negate': 'true',
      predicates: 'p',
      'predicates.p.type': 'TopicNameMatches',
      'predicates.p.pattern': 'to-.*',
    };
    const parts = await buildPipelineParts(raw, worker, index);
    equal(parts.kind, 'source');
    deepEqual(parts.values, { file: null, topic: 't', 'batch.size': 2000 });
    deepEqual(parts.valueConverter.read('t', Buffer.from('{"a":1}')), { schema: null, value: { a: 1 } });
    deepEqual(
      parts.transforms.map(({ alias, negate }) => [alias, negate]),
      [
        ['route', false],
        ['drop', true],
      ],
    );
    equal(parts.transforms[1]?.predicate?.({ topic: 'to-t' } as never), true);
    const own = await buildPipelineParts({ ...raw, 'value.converter': 'JsonConverter' }, worker, index);
    throws(() => own.valueConverter.read('t', Buffer.from('{"a":1}')), /requires "schema" and "payload"/);
    await rejects(buildPipelineParts({ ...raw, predicates: '' }, worker, index), /"p" is not among the aliases in predicates/);
    await rejects(buildPipelineParts({ ...raw, topic: '' }, worker, index), {
      name: 'ConfigError',
      message: /connector x: .*topic: String must be non-empty/,
    });
  });

  it('decide how many tasks there are', async () => {
    const index = await discoverPlugins();
    equal((await taskConfigsOf({ 'connector.class': 'FileStreamSource', topic: 't' }, 5, index)).length, 1);
    equal((await taskConfigsOf({ 'connector.class': 'FileStreamSink' }, 5, index)).length, 5);
  });
});
