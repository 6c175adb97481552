import { equal, match, rejects } from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Decimal, arraySchema, decimalSchema, mapSchema, noHeaders, schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { Schema, SinkRecord, SinkTask, SinkTaskContext } from '@millrace/runtime/api';
import plugin from './index.ts';

const inner = structSchema([['b', schemas.float64]]);
const point = structSchema([
  ['a', schemas.int32],
  ['n', schemas.optionalString],
  ['inner', inner],
  ['amount', decimalSchema(2)],
]);

/** What the JVM's connector writes for each value. */
const lines: readonly (readonly [value: unknown, line: string, schema?: Schema])[] = [
  ['plain text', 'plain text'],
  [null, 'null'],
  [5, '5'],
  [9007199254740993n, '9007199254740993'],
  [true, 'true'],
  [1, '1.0', schemas.float64],
  [{ a: 1 }, '{a=1}'],
  [{ b: 'x', a: [1, null] }, '{a=[1, null], b=x}'],
  [[1, 'x'], '[1, x]'],
  [[1], '[1.0]', arraySchema(schemas.float32)],
  [new Map([['k', 1]]), '{k=1}', mapSchema(schemas.string, schemas.int32)],
  [structOf(structSchema([['a', schemas.int32]]), { a: 1 }), 'Struct{a=1}'],
  [
    structOf(point, { a: 1, inner: structOf(inner, { b: 2 }), amount: Decimal.parse('1.20') }),
    'Struct{a=1,inner=Struct{b=2.0},amount=1.20}',
  ],
  [new Date(0), 'Thu Jan 01 00:00:00 UTC 1970'],
];

function record(value: unknown, valueSchema: Schema | null = null): SinkRecord {
  return {
    topic: 't',
    partition: 0,
    keySchema: null,
    key: null,
    valueSchema,
    value,
    timestamp: 1,
    headers: noHeaders,
    offset: 0n,
    timestampType: 'CreateTime',
  };
}

describe('sink-file', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-sink-file-'))));
  after(() => rm(folder, { recursive: true }));

  const start = (file: string): Promise<SinkTask> => plugin.start({ file }, { connector: 'files' } as SinkTaskContext);

  it('writes what the JVM prints, a line for each value', async () => {
    const file = join(folder, 'values.txt');
    await using task = await start(file);
    await task.put(lines.map(([value, , schema]) => record(value, schema)));
    await task.flush?.();
    equal(await readFile(file, 'utf8'), lines.map(([, line]) => `${line}\n`).join(''));
  });

  it('appends, and shows lines before they are flushed', async () => {
    const file = join(folder, 'appended.txt');
    for (const value of ['one', 'two']) {
      await using task = await start(file);
      await task.put([record(value)]);
      equal((await readFile(file, 'utf8')).trimEnd().split('\n').at(-1), value);
      await task.flush?.();
      await task.flush?.();
    }
    equal(await readFile(file, 'utf8'), 'one\ntwo\n');
  });

  it('keeps the order of many records, of several tasks on one file whole lines', async () => {
    const file = join(folder, 'many.txt');
    await using first = await start(file);
    await using second = await start(file);
    const batch = (name: string): SinkRecord[] => Array.from({ length: 50_000 }, (_, i) => record(`${name} ${i} ${'x'.repeat(40)}`));
    await Promise.all([first.put(batch('a')), second.put(batch('b'))]);
    const written = (await readFile(file, 'utf8')).trimEnd().split('\n');
    for (const name of ['a', 'b']) {
      const own = written.filter((line) => line.startsWith(name)).map((line) => Number(line.split(' ')[1]));
      equal(own.length, 50_000);
      equal(
        own.every((number, i) => number === i),
        true,
      );
    }
  });

  it('says why a file cannot be written', async () => {
    await rejects(start(join(folder, 'no', 'such', 'file')), {
      name: 'ConfigError',
      message: /connector files: cannot open or create file .*ENOENT.*folder exists/,
    });
    await rejects(start(folder), { name: 'ConfigError', message: /EISDIR/ });
    const missing = await plugin.validate?.({ file: join(folder, 'no', 'file') }, {});
    match(missing?.[0]?.message ?? '', /its folder .* does not exist; create it first/);
    const aFolder = await plugin.validate?.({ file: folder }, {});
    match(aFolder?.[0]?.message ?? '', /it is a folder/);
    equal((await plugin.validate?.({ file: join(folder, 'new') }, {}))?.length, 0);
    equal((await plugin.validate?.({ file: null }, {}))?.length, 0);
  });

  it('commits nothing to a file that was deleted', async () => {
    const file = join(folder, 'deleted.txt');
    await using task = await start(file);
    await task.put([record('x')]);
    await rm(file);
    await rejects(async () => task.flush?.(), {
      name: 'ConnectError',
      message: /deleted\.txt' was deleted while it was written to\. Restart/,
    });
  });

  it('fails a write that the system refuses', { skip: process.platform !== 'linux' && '/dev/full is Linux only' }, async () => {
    await using task = await start('/dev/full');
    await rejects(task.put([record('x')]), { name: 'ConnectError', message: /cannot write to file '\/dev\/full': .*ENOSPC/ });
  });
});
