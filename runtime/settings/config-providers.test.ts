import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createConfigProviders } from './config-providers.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'providers-'));
  await writeFile(join(folder, 'db.properties'), 'user=app\npassword = p:w \\u00e9\n');
  await mkdir(join(folder, 'dir'));
  await writeFile(join(folder, 'dir', 'token'), 'abc\n');
});
after(() => rm(folder, { recursive: true, force: true }));

const classes = 'org.apache.kafka.common.config.provider';
const worker = (extra: Record<string, string> = {}): Record<string, string> => ({
  'config.providers': 'file, dir,env',
  'config.providers.file.class': `${classes}.FileConfigProvider`,
  'config.providers.dir.class': `${classes}.DirectoryConfigProvider`,
  'config.providers.env.class': `${classes}.EnvVarConfigProvider`,
  ...extra,
});

test('placeholders of every provider are resolved, within text too; others stay', async () => {
  const { resolve } = createConfigProviders(worker(), { HOME_TOWN: 'Ulm' });
  const { config, secrets } = await resolve({
    a: `\${file:${folder}/db.properties:user}/\${file:${folder}/db.properties:password}`,
    b: `\${dir:${folder}/dir:token}`,
    c: '${env:HOME_TOWN}',
    d: '${topic}-${vault:x:y}',
  });
  assert.deepEqual(config, { a: 'app/p:w é', b: 'abc\n', c: 'Ulm', d: '${topic}-${vault:x:y}' });
  assert.deepEqual(secrets, ['app', 'p:w é', 'abc\n', 'Ulm']);
});

test('what cannot be resolved is refused by name, without content', async () => {
  const allowed = {
    'config.providers.file.param.allowed.paths': `${folder}/dir`,
    'config.providers.dir.param.allowed.paths': `${folder}/dir`,
    'config.providers.env.param.allowlist.pattern': 'PUBLIC_.*',
  };
  const { resolve } = createConfigProviders(worker(allowed), { SECRET: 'x', PUBLIC_X: 'ok' });
  assert.equal((await resolve({ k: `\${dir:${folder}/dir:token}` })).config['k'], 'abc\n');
  assert.equal((await resolve({ k: '${env:PUBLIC_X}' })).config['k'], 'ok');
  await assert.rejects(resolve({ k: '${env:SECRET}' }), /^ConfigError: k: \$\{env:SECRET\} cannot be resolved: there is no such entry/);
  await assert.rejects(resolve({ k: `\${file:${folder}/db.properties:user}` }), /is not below allowed.paths/);
  await assert.rejects(resolve({ k: `\${file:${folder}/dir/../db.properties:user}` }), /is not below allowed.paths/);
  await assert.rejects(resolve({ k: `\${dir:${folder}/dir:../db.properties}` }), /is not the name of a file/);
  await assert.rejects(resolve({ k: `\${file:${folder}/dir/none:user}` }), /could not read .*none \(ENOENT\)/);
});

test('a provider that is not there is refused when the worker starts', () => {
  assert.throws(
    () => createConfigProviders({ 'config.providers': 'v', 'config.providers.v.class': 'x.Vault' }),
    /no config provider x\.Vault/,
  );
  assert.throws(() => createConfigProviders({ 'config.providers': 'v' }), /config\.providers\.v\.class is missing/);
});
