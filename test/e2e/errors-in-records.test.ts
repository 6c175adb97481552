/** A record that cannot be dealt with: the task says which and why, or leaves it out and counts it. Nothing else is lost. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { eventually, isRunning, linesOf, taskStatus, untilLines } from './worker-states.ts';

type Config = Readonly<Record<string, string>>;

const json: Config = { 'value.converter': 'JsonConverter', 'value.converter.schemas.enable': 'false' };
const lenient: Config = { 'errors.tolerance': 'all' };

describe('a record that fails', () => {
  let worker: MillraceServer;
  let lines: string;

  before(async () => {
    worker = await startMillrace({ properties: { 'value.converter': 'StringConverter', 'offset.flush.interval.ms': '200' } });
    lines = join(worker.folder, 'lines.txt');
    appendFileSync(lines, '{"n":1}\nno JSON\n{"n":2}\n');
    await worker.put('source', { 'connector.class': 'FileStreamSource', file: lines, topic: 'lines' });
  });
  after(() => worker[Symbol.asyncDispose]());

  const fileOf = (name: string): string => join(worker.folder, `${name}.txt`);
  const sink = (name: string, more: Config): Promise<void> =>
    worker.put(name, { 'connector.class': 'FileStreamSink', topics: 'lines', file: fileOf(name), ...more });

  async function committed(name: string): Promise<number | undefined> {
    const { offsets } = (await worker.request('GET', `/connectors/${name}/offsets`)) as {
      offsets: readonly { readonly offset: { readonly kafka_offset: number } }[];
    };
    return offsets[0]?.offset.kafka_offset;
  }

  async function counted(name: string): Promise<Record<string, number>> {
    const text = await (await fetch(`${worker.url}/metrics`)).text();
    const found = text.matchAll(new RegExp(`^kafka_connect_task_error_metrics_(\\w+)\\{connector="${name}",task="0"\\} (\\d+)$`, 'gm'));
    return Object.fromEntries([...found].map(([, key, value]) => [key, Number(value)]));
  }

  it('stops its task, which names the record and the stage; its offset is not committed', async () => {
    await sink('strict', { ...json, 'consumer.override.max.poll.records': '1' });
    const { trace = '' } = await taskStatus(worker, 'strict', ({ state }) => state === 'FAILED');
    assert.match(
      trace,
      /task strict-0, stage VALUE_CONVERTER, record \{topic='lines', partition=0, offset=1, timestamp=\d+\}: malformed JSON at position 0: expected a value, found "n"\. Correct what the message names, or set errors\.tolerance=all/,
    );
    assert.ok(((await committed('strict')) ?? 0) <= 1);
    // Starting it again does not get it past the record.
    await worker.request('POST', '/connectors/strict/tasks/0/restart');
    await taskStatus(worker, 'strict', ({ state }) => state === 'FAILED');
    assert.ok(((await committed('strict')) ?? 0) <= 1);
    assert.equal(linesOf(fileOf('strict')).includes('{n=2}'), false);
    // Told to leave it out, the same connector goes on from there.
    await sink('strict', { ...json, ...lenient });
    await untilLines(fileOf('strict'), (found) => found.includes('{n=2}'));
  });

  it('is left out where that is wanted, counted and logged', async () => {
    await sink('lenient', { ...json, ...lenient, 'errors.log.enable': 'true', 'errors.log.include.messages': 'true' });
    assert.deepEqual(await untilLines(fileOf('lenient'), (found) => found.length >= 2), ['{n=1}', '{n=2}']);
    await eventually('the offset after the last record', async () => (await committed('lenient')) === 3);
    await taskStatus(worker, 'lenient', isRunning);
    const figures = await eventually('the skip in the metrics', async () => {
      const found = await counted('lenient');
      return found['total_records_skipped'] === 1 && found;
    });
    assert.deepEqual([figures['total_record_failures'], figures['total_errors_logged']], [1, 1]);
    assert.match(
      worker.logTail(200),
      /ERROR \[lenient\|task-0\] Error encountered in task lenient-0\. Executing stage 'VALUE_CONVERTER' with class 'org\.apache\.kafka\.connect\.json\.JsonConverter', where consumed record is \{topic='lines', partition=0, offset=1/,
    );
  });

  it('in a transform is told with its stage, or left out', async () => {
    const cast: Config = { transforms: 'c', 'transforms.c.type': 'Cast$Value', 'transforms.c.spec': 'int32' };
    appendFileSync(lines, '42\n');
    await sink('cast', cast);
    const { trace = '' } = await taskStatus(worker, 'cast', ({ state }) => state === 'FAILED');
    assert.match(trace, /stage TRANSFORMATION, record \{topic='lines', partition=0, offset=0.*no number/);
    await sink('cast', { ...cast, ...lenient });
    assert.deepEqual(await untilLines(fileOf('cast'), (found) => found.length > 0), ['42']);
    await eventually('three skips', async () => (await counted('cast'))['total_records_skipped'] === 3);
  });

  it('of a source stops its task before its position is stored, or is left out', async () => {
    const input = join(worker.folder, 'numbers.txt');
    appendFileSync(input, '1\nmany\n3\n');
    const numbers: Config = {
      'connector.class': 'FileStreamSource',
      file: input,
      topic: 'numbers',
      transforms: 'c',
      'transforms.c.type': 'Cast$Value',
      'transforms.c.spec': 'int32',
    };
    await worker.put('numbers', numbers);
    const { trace = '' } = await taskStatus(worker, 'numbers', ({ state }) => state === 'FAILED');
    assert.match(
      trace,
      /stage TRANSFORMATION, record \{topic='numbers', partition=null, sourcePartition=\{filename=.*sourceOffset=\{position=7\}.*"many"/,
    );
    const stored = async (): Promise<string> => JSON.stringify(await worker.request('GET', '/connectors/numbers/offsets'));
    assert.doesNotMatch(await stored(), /"position":(7|9)/);
    await worker.put('numbers', { ...numbers, ...lenient });
    await eventually('the position after the last line', async () => (await stored()).includes('"position":9'));
    await sink('numbers-sink', { topics: 'numbers' });
    const found = await untilLines(fileOf('numbers-sink'), (each) => each.includes('3'));
    assert.deepEqual([...new Set(found)], ['1', '3']);
  });

  it('in a sink that cannot write leaves the offset where it is', async () => {
    await sink('full', { file: '/dev/full' });
    const { trace = '' } = await taskStatus(worker, 'full', ({ state }) => state === 'FAILED');
    assert.match(trace, /connector full: cannot write to file '\/dev\/full': ENOSPC: no space left on device/);
    assert.equal(await committed('full'), undefined);
  });
});
