/** What dead letters promise, on either log: every poison record is one, once, whatever is restarted; the rest flows on. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { batchOf, createTopic, readPartition, uniqueName, until } from '../../../test/contract/log-fixture.ts';
import type { ReadTextRecord, TextRecord } from '../../../test/contract/log-fixture.ts';
import type { RawConfig } from '../../api/index.ts';
import { specOf } from './task-fixture.ts';
import type { TaskFixture } from './task-fixture.ts';

const header = (name: string): string => `__connect.errors.${name}`;
const deep = '['.repeat(10_000) + ']'.repeat(10_000);
const big = 'x'.repeat(1_048_000);

/** Each kind of poison, the stage that it fails in, and what a person is told. */
const poison: readonly (readonly [record: TextRecord, stage: string, executing: RegExp, told: RegExp])[] = [
  [{ key: '"k"', value: 'no JSON' }, 'VALUE_CONVERTER', /JsonConverter$/, /malformed JSON at position 0: expected a value, found "n"/],
  [{ key: '{', value: '1' }, 'KEY_CONVERTER', /JsonConverter$/, /malformed JSON at position 1/],
  [{ key: '"k"', value: deep }, 'VALUE_CONVERTER', /JsonConverter$/, /nested/],
  [{ key: '"k"', value: big }, 'VALUE_CONVERTER', /JsonConverter$/, /malformed JSON/],
  [{ key: '"k"', value: '"abc"' }, 'TRANSFORMATION', /transforms\.Cast\$Value$/, /abc/],
  [{ value: '7' }, 'TASK_PUT', /^org\.apache\.kafka\.connect\.sink\.SinkTask$/, /a record without a key\. Set one\./],
];

const json: RawConfig = {
  'key.converter': 'JsonConverter',
  'key.converter.schemas.enable': 'false',
  'value.converter': 'JsonConverter',
  'value.converter.schemas.enable': 'false',
};

const cast: RawConfig = { transforms: 'c', 'transforms.c.type': 'Cast$Value', 'transforms.c.spec': 'int32' };

interface Flow {
  readonly topic: string;
  readonly letters: string;
  readonly name: string;
  readonly config: RawConfig;
  lines(): string[];
  deadLetters(): Promise<ReadTextRecord[]>;
  start(more?: RawConfig): Promise<void>;
  stop(): Promise<void>;
}

async function openFlow(fixture: TaskFixture, records: readonly TextRecord[]): Promise<Flow> {
  const { log, host, events, folder } = fixture;
  const topic = await createTopic(log);
  const name = uniqueName('choosy');
  const letters = `${name}-letters`;
  await produce(fixture, topic, records);
  const file = join(folder, `${name}.txt`);
  const config = {
    'connector.class': 'choosy-sink',
    file,
    topics: topic,
    ...json,
    ...cast,
    'errors.tolerance': 'all',
    'errors.deadletterqueue.topic.name': letters,
    'errors.deadletterqueue.topic.replication.factor': '1',
    'errors.deadletterqueue.context.headers.enable': 'true',
  };
  return {
    topic,
    letters,
    name,
    config,
    lines: () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []),
    deadLetters: () => readPartition(log, letters, 0, 'read_committed'),
    start: (more = {}) => host.start(specOf(name, { ...config, ...more }), events),
    stop: async () => void (await host.stop({ connector: name, task: 0 })),
  };
}

async function produce({ log }: TaskFixture, topic: string, records: readonly TextRecord[]): Promise<void> {
  await using producer = await log.openProducer({ clientId: 'poisoner', overrides: { 'max.request.size': '2000000' } });
  for (const record of records) await producer.append([batchOf(topic, 0, [record])]);
}

const standsAt = async ({ log }: TaskFixture, { name }: Flow): Promise<number> =>
  Number((await log.groupOffsets(`connect-${name}`))[0]?.offset ?? -1);

export function registerDeadLetters(what: string, open: () => Promise<TaskFixture>): void {
  describe(`dead letters on ${what}`, () => {
    it('hold each poison record as it was, with its stage and cause, and the rest flows on', async () => {
      await using fixture = await open();
      const good = (n: number): TextRecord => ({ key: '"k"', value: String(n) });
      const records = poison.flatMap(([record], n) => [
        good(n),
        { ...record, timestamp: 1_700_000_000_000 + n, headers: { own: `header ${n}` } },
      ]);
      const flow = await openFlow(fixture, [...records, good(poison.length)]);
      await flow.start();
      await until('all offsets', async () => (await standsAt(fixture, flow)) === records.length + 1);
      assert.deepEqual(
        flow.lines(),
        Array.from({ length: poison.length + 1 }, (_, n) => String(n)),
      );
      const letters = await flow.deadLetters();
      assert.equal(letters.length, poison.length);
      for (const [n, [record, stage, executing, told]] of poison.entries()) {
        const letter = letters.find(({ headers }) => headers['own'] === `header ${n}`);
        assert.ok(letter, `a letter for the poison of number ${n}`);
        assert.equal(letter.key, record.key ?? null);
        assert.equal(letter.value, record.value);
        assert.equal(letter.timestamp, 1_700_000_000_000 + n);
        const { headers } = letter;
        assert.deepEqual(
          ['topic', 'partition', 'offset', 'connector.name', 'task.id', 'stage'].map((each) => headers[header(each)]),
          [flow.topic, '0', String(2 * n + 1), flow.name, '0', stage],
        );
        assert.match(headers[header('class.name')] ?? '', executing);
        assert.match(headers[header('exception.message')] ?? '', told);
        assert.ok(headers[header('exception.stacktrace')]);
      }
      const roomOf = async (name: string): Promise<number> =>
        Number((await fixture.log.topicConfig(name))['max.message.bytes'] ?? 1_048_588);
      assert.equal((await roomOf(flow.letters)) - (await roomOf(flow.topic)), 128 * 1024);
      const figures = ['deadletterqueue-produce-requests', 'total-records-skipped', 'total-record-errors'];
      await until('the figures', () => {
        const attributes = fixture.host.metrics()[0]?.attributes ?? {};
        return figures.every((each) => attributes[each] === poison.length);
      });
    });

    it('are there once, however often the task starts anew', async () => {
      await using fixture = await open();
      const records = Array.from({ length: 300 }, (_, n): TextRecord =>
        n % 3 === 0 ? { key: '"k"', value: `bad ${n}` } : { key: '"k"', value: `${n}` },
      );
      const flow = await openFlow(fixture, records);
      for (let round = 0; round < 4; round++) {
        // Stopped at once, or once it has got somewhere.
        await flow.start({ 'consumer.override.max.poll.records': '20', 'release.below': String(80 * (round + 1)) });
        if (round % 2 === 1) await until('some offsets', async () => (await standsAt(fixture, flow)) >= 80 * round);
        await flow.stop();
      }
      await flow.start();
      await until('all offsets', async () => (await standsAt(fixture, flow)) === 300);
      const letters = (await flow.deadLetters()).map(({ value }) => value);
      assert.deepEqual(
        letters,
        records.flatMap(({ value }) => (value?.startsWith('bad') ? [value] : [])),
      );
    });

    it('wait for offsets that the connector keeps back', async () => {
      await using fixture = await open();
      const flow = await openFlow(
        fixture,
        ['1', 'a', '2', 'b'].map((value) => ({ key: '"k"', value })),
      );
      await flow.start({ 'release.below': '2' });
      await until('its first offsets', async () => (await standsAt(fixture, flow)) === 2);
      assert.deepEqual([(await flow.deadLetters()).map(({ value }) => value), await standsAt(fixture, flow)], [['a'], 2]);
      await flow.stop();
      await flow.start();
      await until('all offsets', async () => (await standsAt(fixture, flow)) === 4);
      assert.deepEqual(
        (await flow.deadLetters()).map(({ value }) => value),
        ['a', 'b'],
      );
    });

    it('are none of a record that stops its task', async () => {
      await using fixture = await open();
      const flow = await openFlow(fixture, [{ key: '"k"', value: 'bad' }]);
      await fixture.log.createTopics([{ name: flow.letters, partitions: 1 }]);
      for (let round = 0; round < 2; round++) {
        await flow.start({ 'errors.tolerance': 'none' });
        await until('its failure', () => fixture.said.filter((each) => each.startsWith('failed')).length > round);
        await flow.stop();
      }
      assert.match(fixture.said.join('\n'), /Tolerance exceeded in error handler: task .*stage VALUE_CONVERTER.*offset=0/);
      assert.match(fixture.logged.join('\n'), /errors\.deadletterqueue\.topic\.name=.* has no effect/);
      assert.deepEqual(await flow.deadLetters(), []);
    });

    it('of a source hold what it polled as JSON text, in the same write as its position', async () => {
      await using fixture = await open();
      const { log, host, events, folder } = fixture;
      const name = uniqueName('numbers');
      const file = join(folder, `${name}.txt`);
      appendFileSync(file, '1\n3\nma"ny\n');
      const spec = specOf(name, {
        'connector.class': 'FileStreamSource',
        file,
        topic: name,
        ...cast,
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': `${name}-letters`,
        'errors.deadletterqueue.topic.replication.factor': '1',
        'errors.deadletterqueue.context.headers.enable': 'true',
      });
      await log.createTopics([{ name, partitions: 1 }]);
      await host.start(spec, events);
      await until('both numbers', async () => (await readPartition(log, name, 0)).length === 2);
      await until('the letter', async () => (await readPartition(log, `${name}-letters`, 0)).length > 0);
      const [letter] = await readPartition(log, `${name}-letters`, 0);
      assert.equal(letter?.value, '"ma\\"ny"');
      assert.deepEqual(
        ['topic', 'offset', 'stage', 'class.name'].map((each) => letter.headers[header(each)]),
        [name, '-1', 'TRANSFORMATION', 'org.apache.kafka.connect.transforms.Cast$Value'],
      );
      assert.match(letter.headers['__millrace.errors.source.offset'] ?? '', /^\{"position":\d+\}$/);
      await host.stop(spec.id);
      await host.start(spec, events);
      appendFileSync(file, '4\n');
      await until('the next number', async () => (await readPartition(log, name, 0)).length === 3);
      assert.equal((await readPartition(log, `${name}-letters`, 0)).length, 1);
    });
  });
}
