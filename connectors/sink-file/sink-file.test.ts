import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Decimal, SerializedValue, arraySchema, decimalSchema, mapSchema, schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { Schema, SinkRecord, SinkTask } from '@millrace/runtime/api';
import plugin from './index.ts';
import { defaults, record, startTask } from './test/file-task.ts';

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
  [new SerializedValue(Buffer.from('left in its bytes: é 😀'), () => ''), 'left in its bytes: é 😀'],
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

describe('sink-file', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-sink-file-'))));
  after(() => rm(folder, { recursive: true }));

  async function start(file: string, raw: Readonly<Record<string, string>> = {}): Promise<SinkTask> {
    const task = await startTask({ file }, { raw });
    await task.open?.([{ topic: 't', partition: 0, offset: 0n }]);
    return task;
  }
  const validate = async (values: Partial<typeof defaults>, raw: Readonly<Record<string, string>> = {}): Promise<string[]> =>
    ((await plugin.validate?.({ ...defaults, ...values }, raw)) ?? []).map(({ key, message }) => `${key}: ${message}`);

  it('writes what the JVM prints, a line for each value', async () => {
    const file = join(folder, 'values.txt');
    await using task = await start(file);
    await task.put(lines.map(([value, , valueSchema], offset) => record(value, { offset, valueSchema: valueSchema ?? null })));
    await task.preCommit?.([]);
    equal(await readFile(file, 'utf8'), lines.map(([, line]) => `${line}\n`).join(''));
  });

  it('appends, and shows lines before they are flushed', async () => {
    const file = join(folder, 'appended.txt');
    for (const [offset, value] of ['one', 'two'].entries()) {
      await using task = await start(file);
      await task.put([record(value, { offset })]);
      equal((await readFile(file, 'utf8')).trimEnd().split('\n').at(-1), value);
      await task.preCommit?.([]);
      await task.preCommit?.([]);
    }
    equal(await readFile(file, 'utf8'), 'one\ntwo\n');
  });

  it('keeps the order of many records, of several tasks on one file whole lines', async () => {
    const file = join(folder, 'many.txt');
    await using first = await start(file, { 'tasks.max': '2' });
    await using second = await start(file, { 'tasks.max': '2' });
    const batch = (name: string): SinkRecord[] =>
      Array.from({ length: 50_000 }, (_, i) => record(`${name} ${i} ${'x'.repeat(40)}`, { offset: i }));
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
    match((await validate({ file: join(folder, 'no', 'file') }))[0] ?? '', /its folder .* does not exist; create it first/);
    match((await validate({ file: folder }))[0] ?? '', /it is a folder/);
    deepEqual(await validate({ file: join(folder, 'new') }), []);
    deepEqual(await validate({ file: null }), []);
  });

  it('says which options do not go together', async () => {
    const file = join(folder, 'new');
    match((await validate({ 'file.compression': 'gzip' }))[0] ?? '', /^file\.compression: .*standard output.*set file$/);
    match((await validate({ file, 'file.rotate.bytes': 5 }, { 'tasks.max': '2' }))[0] ?? '', /^file\.rotate\.bytes: .*several tasks/);
    deepEqual(await validate({ file, 'file.rotate.bytes': 5, 'file.per.partition': true }, { 'tasks.max': '2' }), []);
  });

  it('commits nothing to a file that was deleted', async () => {
    const file = join(folder, 'deleted.txt');
    await using task = await start(file);
    await task.put([record('x')]);
    await rm(file);
    await rejects(async () => task.preCommit?.([{ topic: 't', partition: 0, offset: 1n }]), {
      name: 'ConnectError',
      message: /deleted\.txt' was deleted while it was written to\. Restart/,
    });
  });

  it('fails a write that the system refuses', { skip: process.platform !== 'linux' && '/dev/full is Linux only' }, async () => {
    await using task = await start('/dev/full');
    await rejects(task.put([record('x')]), { name: 'ConnectError', message: /cannot write to file '\/dev\/full': .*ENOSPC/ });
  });
});
