/** What a sink is given while the next records are fetched ahead: in order, once, and nothing that it asked not to have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openTestLog } from '../../test/contract/embedded-test-log.ts';
import type { TestLog } from '../../test/contract/embedded-test-log.ts';
import { batchOf } from '../../test/contract/log-fixture.ts';
import { RetriableError, schemas } from '../api/index.ts';
import type { Converter, Logger, SinkRecord, SinkTask } from '../api/index.ts';
import type { LogGroup } from '../ports/log.ts';
import { errorPolicy } from './error-policy.ts';
import { SinkDecoder } from './sink-decoder.ts';
import { sinkControl, sinkLoop } from './sink-loop.ts';
import type { SinkControl } from './sink-loop.ts';
import { TaskFigures } from './task-figures.ts';
import { topicIds } from './topic-ids.ts';

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const converter: Converter = {
  write: () => false,
  read: (_topic, bytes) => ({ schema: schemas.optionalString, value: bytes?.toString() ?? null }),
};

/** Batches of ten records in each partition; values are `partition:offset`. */
async function logWith(partitions: number, batches: number): Promise<TestLog> {
  const opened = await openTestLog();
  await opened.log.createTopics([{ name: 't', partitions }]);
  await using producer = await opened.log.openProducer({ clientId: 'filler' });
  for (let batch = 0; batch < batches; batch++) {
    for (let partition = 0; partition < partitions; partition++) {
      const records = Array.from({ length: 10 }, (_, i) => ({ key: null, value: `${partition}:${batch * 10 + i}` }));
      await producer.append([batchOf('t', partition, records)]);
    }
  }
  return opened;
}

interface Member {
  readonly group: LogGroup;
  readonly control: SinkControl;
  readonly puts: string[][];
  /** Polls that are under way. */
  polling: number;
  /** Polls that brought records. */
  fetches: number;
  readonly closed: string[];
  start(put?: (records: readonly SinkRecord[], member: Member) => void | Promise<void>, fetchBytes?: number): void;
  values(): string[];
  /** Waits for the condition, and throws what the loop failed with. */
  until(condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

/** `waitMs`: how long its polls wait, whatever the loop asks for. */
async function join({ log }: TestLog, maxPollRecords = 4, waitMs?: number): Promise<Member> {
  const group = await log.openGroup({ clientId: 'sink', groupId: 'g', topics: { names: ['t'] } });
  const control = sinkControl();
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let failure: Error | undefined;
  const counted: LogGroup = {
    ...group,
    async poll(limits, signal) {
      member.polling++;
      try {
        const event = await group.poll({ ...limits, maxWaitMs: waitMs ?? limits.maxWaitMs }, signal);
        if (event.kind === 'records') member.fetches++;
        return event;
      } finally {
        member.polling--;
      }
    },
    [Symbol.asyncDispose]: () => group[Symbol.asyncDispose](),
  };
  const member: Member = {
    group,
    control,
    puts: [],
    polling: 0,
    fetches: 0,
    closed: [],
    start(put = () => {}, fetchBytes = 500) {
      const figures = new TaskFigures();
      const task: SinkTask = {
        async put(records) {
          await put(records, member);
          member.puts.push(records.map(({ value }) => String(value)));
        },
        async close(partitions) {
          member.closed.push(...partitions.map(({ partition }) => `${partition} after ${member.puts.length}`));
        },
        async [Symbol.asyncDispose]() {},
      };
      const classes = { key: 'k', value: 'v', header: 'h' };
      const errors = errorPolicy({}, 'c-0', quiet, figures);
      const decoder = new SinkDecoder({
        keyConverter: converter,
        valueConverter: converter,
        headerConverter: { writeHeader: () => null, readHeader: () => ({ schema: null, value: null }) },
        converterClasses: classes,
        errors,
        traced: false,
      });
      const parts = { task, group: counted, decoder, chain: undefined, control, figures, topicIds: topicIds(log), log: quiet };
      const loop = sinkLoop({ ...parts, flushIntervalMs: 60_000, maxPollRecords, fetchBytes, topicUsed() {} }, false);
      running = loop.run(stopping.signal).catch((error: unknown) => {
        failure = error as Error;
      });
    },
    values: () => member.puts.flat(),
    async until(condition) {
      while (!condition()) {
        if (failure !== undefined) throw failure;
        await sleep(5);
      }
    },
    async stop() {
      stopping.abort();
      await running;
      await group[Symbol.asyncDispose]();
      if (failure !== undefined) throw failure;
    },
  };
  return member;
}

const expected = (partition: number, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `${partition}:${from + i}`);
const ofPartition = (values: readonly string[], partition: number): string[] => values.filter((value) => value.startsWith(`${partition}:`));

test('the next fetch is under way while records are put, and each record comes once', async () => {
  await using opened = await logWith(1, 20);
  const sink = await join(opened);
  let asked = 0;
  sink.start((_records, { fetches, polling, puts }) => {
    if (puts.length === 0) asked = fetches + polling;
  });
  await sink.until(() => sink.values().length >= 200);
  await sink.stop();
  assert.deepEqual(sink.values(), expected(0, 0, 200));
  assert.ok(sink.puts.every((records) => records.length <= 4));
  assert.equal(asked, 2);
  assert.deepEqual(await opened.log.groupOffsets('g'), [{ topic: 't', partition: 0, offset: 200n }]);
});

test('what was fetched ahead is not put after a pause, and comes once it is resumed', async () => {
  await using opened = await logWith(2, 20);
  const sink = await join(opened);
  let paused = -1;
  sink.start(async (records, { control, puts }) => {
    if (puts.length !== 2) return;
    paused = Number(records.at(-1)?.partition);
    control.switches.push({ paused: true, partitions: [{ topic: 't', partition: paused }] });
    // The fetch ahead arrives meanwhile, with records of both.
    await sleep(50);
  }, 700);
  await sink.until(() => paused >= 0 && ofPartition(sink.values(), 1 - paused).length === 200);
  const before = ofPartition(sink.values(), paused);
  assert.deepEqual(before, ofPartition(sink.puts.slice(0, 3).flat(), paused));
  sink.control.switches.push({ paused: false, partitions: [{ topic: 't', partition: paused }] });
  await sink.until(() => sink.values().length >= 400);
  await sink.stop();
  assert.deepEqual(ofPartition(sink.values(), paused), expected(paused, 0, 200));
  assert.deepEqual(ofPartition(sink.values(), 1 - paused), expected(1 - paused, 0, 200));
});

for (const [name, target, fetchBytes] of [
  ['back', 2, 500],
  ['to where the fetch ahead began', 20, 500],
  ['ahead', 90, 100_000],
] as const) {
  test(`after a seek ${name} the next put begins there`, async () => {
    await using opened = await logWith(1, 10);
    const sink = await join(opened);
    sink.start(async (_records, { control, puts }) => {
      if (puts.length !== 2) return;
      control.seeks.push({ topic: 't', partition: 0, offset: BigInt(target) });
      await sleep(50);
    }, fetchBytes);
    await sink.until(() => sink.values().at(-1) === '0:99');
    await sink.stop();
    const first = sink.puts.slice(0, 3).flat();
    assert.deepEqual(sink.values(), [...first, ...expected(0, target, 100)]);
  });
}

test('a put that may work later gets the same records again, and nothing more is fetched for long', async () => {
  await using opened = await logWith(1, 20);
  const sink = await join(opened);
  const tries: string[] = [];
  sink.start((records, { puts }) => {
    if (puts.length !== 3 || tries.length === 3) return;
    tries.push(records.map(({ value }) => value).join(' '));
    throw new RetriableError('not now');
  });
  await sink.until(() => sink.values().length >= 200);
  await sink.stop();
  assert.equal(new Set(tries).size, 1);
  assert.deepEqual(sink.values(), expected(0, 0, 200));
});

test('what was fetched ahead of partitions that go away is not put, and the next member begins after what was', async () => {
  await using opened = await logWith(2, 30);
  const first = await join(opened);
  first.start(() => sleep(5));
  await first.until(() => first.puts.length >= 3);
  const second = await join(opened);
  second.start(() => sleep(5));
  await first.until(() => first.closed.length >= 2);
  await second.until(() => first.values().length + second.values().length >= 600);
  await Promise.all([first.stop(), second.stop()]);
  for (const partition of [0, 1]) {
    const all = [...ofPartition(first.values(), partition), ...ofPartition(second.values(), partition)];
    assert.deepEqual(all, expected(partition, 0, 300));
  }
});

test('partitions that are called back are not put to the end of what was fetched', async () => {
  await using opened = await logWith(2, 30);
  const first = await join(opened, 4, 3_600_000);
  let second: Member | undefined;
  first.start(async (_records, { puts, polling }) => {
    if (puts.length !== 2) return;
    assert.equal(polling, 1);
    second = await join(opened);
    while (first.polling > 0) await sleep(5);
  }, 100_000);
  await first.until(() => first.closed.length >= 2);
  assert.deepEqual(first.closed, ['0 after 3', '1 after 3']);
  second?.start();
  await first.until(() => first.values().length + (second?.values().length ?? 0) >= 600);
  await Promise.all([first.stop(), second?.stop()]);
  const all = [...first.values(), ...(second?.values() ?? [])];
  assert.deepEqual(ofPartition(all, 0).toSorted(), expected(0, 0, 300).toSorted());
  assert.deepEqual(ofPartition(all, 1).toSorted(), expected(1, 0, 300).toSorted());
});

test('what waits for a retry is not tried again once its partition is gone', async () => {
  await using opened = await logWith(2, 10);
  const first = await join(opened, 200);
  let tries = 0;
  first.start((records, { closed }) => {
    tries++;
    if (closed.length === 0 || records.some(({ partition }) => partition === 1)) throw new RetriableError('not now');
  }, 100_000);
  await first.until(() => tries > 1);
  const second = await join(opened, 200);
  second.start();
  await second.until(() => second.values().length >= 100);
  await first.until(() => first.values().length >= 100);
  await Promise.all([first.stop(), second.stop()]);
  assert.deepEqual(first.values(), expected(0, 0, 100));
  assert.deepEqual(second.values(), expected(1, 0, 100));
});

test('a stop commits what was put, and not what was fetched', async () => {
  await using opened = await logWith(1, 20);
  const sink = await join(opened);
  sink.start(() => sleep(5));
  await sink.until(() => sink.puts.length >= 3);
  await sink.stop();
  const put = sink.values().length;
  assert.ok(put < 200);
  assert.deepEqual(await opened.log.groupOffsets('g'), [{ topic: 't', partition: 0, offset: BigInt(put) }]);
});
