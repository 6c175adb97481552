import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startPostgres } from '../../../test/services/postgres.ts';
import type { PostgresServer } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { keyPassword, makeCertificates } from './certificates.ts';
import type { Certificates } from './certificates.ts';
import { rawConfig, runTask, sql, waitFor } from './harness.ts';
import type { RawConfig } from './harness.ts';

let certificates: Certificates;
let server: PostgresServer;
before(async () => {
  certificates = await makeCertificates();
  server = await startPostgres({ flags: certificates.serverFlags });
  const roles = ['secure', 'open', 'carol'].map((name) => `create role ${name} login superuser`);
  await sql(server, ...roles, 'create table t (id int primary key)', 'create publication pub for table t');
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await certificates?.[Symbol.asyncDispose]();
});

const file = (name: string): string => certificates.path(name);
const config = (more: RawConfig): RawConfig =>
  rawConfig(server, {
    'snapshot.mode': 'no_data',
    'publication.autocreate.mode': 'disabled',
    'slot.drop.on.stop': 'true',
    ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`database.${key}`, value])),
  });

/** Whether the connections of the task are encrypted, of both kinds, once it streams. */
async function encryption(more: RawConfig): Promise<readonly boolean[]> {
  await using running = await runTask(config(more));
  let found: readonly { ssl: boolean; replicates: boolean }[] = [];
  await waitFor(async () => {
    const { rows } = await sql(
      server,
      `select distinct s.ssl, backend_type = 'walsender' as replicates from pg_stat_ssl s join pg_stat_activity a using (pid)
        where application_name = 'millrace' order by 2`,
    );
    found = rows as typeof found;
    return found.length === 2 && running.logs.some((line) => line.includes('streaming from'));
  }, 'both connections');
  return found.map(({ ssl }) => ssl);
}

describe('sslmode, for SQL and for replication', () => {
  const works: readonly [mode: string, more: () => RawConfig, encrypted: boolean][] = [
    ['disable', () => ({}), false],
    ['allow', () => ({}), false],
    ['allow, where the server insists', () => ({ user: 'secure' }), true],
    ['prefer', () => ({}), true],
    ['prefer, where the server refuses', () => ({ user: 'open' }), false],
    ['require', () => ({}), true],
    ['verify-ca, under another name', () => ({ hostname: 'localhost', sslrootcert: file('ca.pem') }), true],
    ['verify-full, by address', () => ({ sslrootcert: file('ca.pem') }), true],
  ];
  for (const [name, more, encrypted] of works) {
    test(name, async () => {
      const mode = name.split(',')[0] as string;
      assert.deepEqual(await encryption({ sslmode: mode, ...more() }), [encrypted, encrypted]);
    });
  }
});

describe('what is not to be trusted gets no data, and says why', () => {
  const refused: readonly [name: string, more: () => RawConfig, message: RegExp][] = [
    ['another authority', () => ({ sslmode: 'verify-ca', sslrootcert: file('other-ca.pem') }), /certificate.*check database.sslrootcert/],
    ['require, given another authority', () => ({ sslmode: 'require', sslrootcert: file('other-ca.pem') }), /check database.sslrootcert/],
    ['no authority given', () => ({ sslmode: 'verify-full' }), /check database.sslrootcert/],
    [
      'another name',
      () => ({ sslmode: 'verify-full', hostname: 'localhost', sslrootcert: file('ca.pem') }),
      /localhost.*for another name: check database.hostname/s,
    ],
    [
      'no such file',
      () => ({ sslmode: 'verify-ca', sslrootcert: file('nowhere.pem') }),
      /database.sslrootcert: cannot read ".*nowhere.pem"/,
    ],
    ['disable, where the server insists', () => ({ sslmode: 'disable', user: 'secure' }), /pg_hba.conf.*database.sslmode/s],
    ['a client without a certificate', () => ({ sslmode: 'require', user: 'carol' }), /certificate/],
    [
      'a wrong password of the key',
      () => ({ sslmode: 'require', user: 'carol', sslcert: file('client.crt'), sslkey: file('locked.pk8'), sslpassword: 'wrong-hunter' }),
      /database.sslkey: ".*locked.pk8" cannot be used.*database.sslpassword/s,
    ],
  ];
  for (const [name, more, message] of refused) {
    test(name, async () => {
      await assert.rejects(runTask(config(more())), (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter/);
        return true;
      });
    });
  }

  test('a server without TLS', async () => {
    const plain = await usePostgres();
    await assert.rejects(runTask(rawConfig(plain, { 'database.sslmode': 'require' })), /does not support SSL.*Set ssl = on/s);
  });
});

describe('the client’s own certificate, its key in each form', () => {
  for (const [key, password] of [
    ['client.key'],
    ['client.pk8'],
    ['locked.pem', keyPassword],
    ['locked.pk8', keyPassword],
    ['client.p12', keyPassword],
  ]) {
    test(String(key), async () => {
      const more = {
        ...(key === 'client.p12' ? {} : { sslcert: file('client.crt') }),
        ...(password === undefined ? {} : { sslpassword: password }),
      };
      const found = await encryption({
        sslmode: 'verify-full',
        sslrootcert: file('ca.pem'),
        user: 'carol',
        sslkey: file(key as string),
        ...more,
      });
      assert.deepEqual(found, [true, true]);
    });
  }

  test('in ~/.postgresql, where libpq looks, too', async (t) => {
    const home = await mkdtemp(join(tmpdir(), 'millrace-home-'));
    const before = process.env['HOME'];
    t.after(async () => {
      process.env['HOME'] = before;
      await rm(home, { recursive: true });
    });
    process.env['HOME'] = home;
    const folder = join(home, '.postgresql');
    await mkdir(folder);
    await copyFile(file('client.pk8'), join(folder, 'postgresql.pk8'));
    // A key without its certificate is none; nobody vouches for the server.
    await assert.rejects(runTask(config({ sslmode: 'require', user: 'carol' })), /certificate/);
    await assert.rejects(runTask(config({ sslmode: 'verify-full' })), /check database.sslrootcert/);
    await copyFile(file('client.crt'), join(folder, 'postgresql.crt'));
    await copyFile(file('ca.pem'), join(folder, 'root.crt'));
    assert.deepEqual(await encryption({ sslmode: 'verify-full', user: 'carol' }), [true, true]);
    await writeFile(join(folder, 'postgresql.key'), 'no key');
    await assert.rejects(runTask(config({ sslmode: 'require', user: 'carol' })), /database.sslkey: ".*postgresql.key" cannot be used/);
  });
});
