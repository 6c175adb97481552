/** A sink that refuses records until it is fixed; then its dead letters are resubmitted, by command and by REST. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { runCommand } from '../../runtime/cli/test/run-command.ts';
import type { CommandResult } from '../../runtime/cli/test/run-command.ts';
import { createRandom, seedNote } from '../chaos/seed.ts';
import type { MillraceServer } from '../services/millrace.ts';
import type { TopicRecords } from './topic-records.ts';
import { eventually, linesOf } from './worker-states.ts';

export const pluginPath = fileURLToPath(new URL('../../runtime/worker/test', import.meta.url));

export interface LetterSite {
  readonly worker: MillraceServer;
  /** Of the same cluster: every other command asks it. */
  readonly other?: MillraceServer;
  /** Unique in its log. */
  readonly name: string;
  read(topic: string): Promise<TopicRecords>;
}

interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly letters: readonly { readonly partition: number; readonly offset: number }[];
  readonly next: string | null;
}

interface Flow {
  readonly sink: string;
  readonly topic: string;
  readonly output: string;
  /** Both connectors; `fixed`: the sink refuses nothing. */
  connectors(fixed: boolean): Promise<void>;
  append(lines: readonly string[]): void;
  command(line: string): Promise<CommandResult>;
  resubmit(body: object): Promise<Report>;
}

/** Each line is a record whose key is its text; the sink wants numbers, and gets some other words. */
function openFlow({ worker, other = worker, name }: LetterSite): Flow {
  let commands = 0;
  const input = join(worker.folder, 'in.txt');
  const output = join(worker.folder, 'out.txt');
  const topic = `${name}-lines`;
  const sink = `${name}-sink`;
  const text = 'org.apache.kafka.connect.storage.StringConverter';
  return {
    sink,
    topic,
    output,
    append: (lines) => appendFileSync(input, lines.map((line) => `${line}\n`).join('')),
    command: (line) => runCommand(['dead-letters', ...line.split(' '), '--url', (commands++ % 2 === 0 ? worker : other).url]),
    resubmit: (body) => worker.request('POST', `/connectors/${sink}/dead-letters/resubmit`, body) as Promise<Report>,
    async connectors(fixed) {
      await worker.put(`${name}-source`, {
        'connector.class': 'FileStreamSource',
        file: input,
        topic,
        'key.converter': text,
        'value.converter': text,
        'topic.creation.default.partitions': '2',
        'topic.creation.default.replication.factor': '1',
        transforms: 'wrap,key,k,v',
        'transforms.wrap.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
        'transforms.wrap.field': 'line',
        'transforms.key.type': 'org.apache.kafka.connect.transforms.ValueToKey',
        'transforms.key.fields': 'line',
        'transforms.k.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
        'transforms.k.field': 'line',
        'transforms.v.type': 'org.apache.kafka.connect.transforms.ExtractField$Value',
        'transforms.v.field': 'line',
      });
      await worker.put(sink, {
        'connector.class': 'choosy-sink',
        file: output,
        topics: topic,
        'key.converter': text,
        'value.converter': text,
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': `${name}-letters`,
        'errors.deadletterqueue.topic.replication.factor': '1',
        'errors.deadletterqueue.context.headers.enable': 'true',
        'consumer.override.session.timeout.ms': '6000',
        ...(fixed
          ? {}
          : { transforms: 'c', 'transforms.c.type': 'org.apache.kafka.connect.transforms.Cast$Value', 'transforms.c.spec': 'int32' }),
      });
    },
  };
}

const lettersOf = async (
  flow: Flow,
  options = '',
): Promise<{ partition: number; offset: number; state: string; key: { text: string } }[]> => {
  const { code, stdout, stderr } = await flow.command(`list ${flow.sink} --limit 100000 --format json${options}`);
  assert.equal(code, 0, stderr);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { partition: number; offset: number; state: string; key: { text: string } });
};

const numbered = (count: number): string[] => Array.from({ length: count }, (_, n) => (n % 10 === 3 ? `word ${n}` : String(n)));

export function registerMending(what: string, start: () => Promise<LetterSite>): void {
  it(`on ${what} brings the target to 100 % after a fix, each record once`, async () => {
    const site = await start();
    await using _ = site.worker;
    await using __ = site.other;
    const flow = openFlow(site);
    const lines = numbered(1_000);
    const bad = lines.filter((line) => line.startsWith('word'));
    flow.append(lines);
    await flow.connectors(false);
    await eventually('all letters', async () => (await lettersOf(flow)).length === bad.length);
    const [first, second] = await lettersOf(flow);
    assert.ok(first !== undefined && second !== undefined);

    const shown = await flow.command(`show ${flow.sink} 0:${first.offset}`);
    assert.match(
      shown.stdout,
      new RegExp(`state +new\n[^]*came from +${flow.topic}-[^]*TRANSFORMATION[^]*value +${first.key.text}\n[^]*at `),
    );
    assert.equal((await flow.command(`resubmit ${flow.sink}`)).code, 2);
    const dry = await flow.command(`resubmit ${flow.sink} --all --dry-run`);
    assert.match(dry.stderr, new RegExp(`${bad.length} resubmitted \\(dry run`));

    // Mended by hand while the connector still refuses words; the record with that value goes through.
    const mended = await flow.command(`resubmit ${flow.sink} 0:${first.offset} --new-value 77777`);
    assert.equal(mended.code, 0, mended.stderr);
    await eventually('the mended line', () => linesOf(flow.output).includes('77777'));

    // A later record of the same key.
    flow.append([second.key.text]);
    await eventually('one more letter', async () => (await lettersOf(flow)).length === bad.length + 1);
    await flow.connectors(true);
    const half = await flow.command(`resubmit ${flow.sink} --all --to sink --to-offset ${Math.floor(bad.length / 2)}`);
    assert.equal(half.code, 3, half.stderr);
    assert.match(half.stdout, new RegExp(`0:${second.offset}  superseded: overtaken by ${flow.topic}-`));
    const rest = await flow.command(`resubmit ${flow.sink} --state new,failed`);
    assert.equal(rest.code, 0, rest.stderr);
    const expected = lines.map((line) => (line === first.key.text ? '77777' : line)).toSorted();
    // The old task may have run on for a moment, and refused some of them once more.
    await eventually('all lines', async () => {
      await flow.command(`resubmit ${flow.sink} --state new,failed`);
      return new Set(linesOf(flow.output)).size >= expected.length;
    });
    assert.deepEqual(linesOf(flow.output).toSorted(), expected);

    const again = await flow.command(`resubmit ${flow.sink} --all`);
    assert.deepEqual([again.code, again.stdout.trim().split('\n').length], [3, 1]);
    const forced = await flow.command(`resubmit ${flow.sink} --all --force --to sink`);
    assert.equal(forced.code, 0, forced.stderr);
    await eventually('the forced line', () => linesOf(flow.output).filter((line) => line === second.key.text).length === 2);
    assert.deepEqual(new Set((await lettersOf(flow)).map(({ state }) => state)), new Set(['resubmitted']));
  });
}

export function registerKills(what: string, start: () => Promise<LetterSite>): void {
  it(`on ${what} resubmits each letter once, with kill -9 at any time`, async (t) => {
    t.diagnostic(seedNote);
    const random = createRandom('resubmission');
    const site = await start();
    const { worker, read } = site;
    await using _ = worker;
    const flow = openFlow(site);
    const lines = numbered(4_000);
    const bad = lines.filter((line) => line.startsWith('word'));
    flow.append(lines);
    await flow.connectors(false);
    await eventually('all letters', async () => (await lettersOf(flow)).length >= bad.length);
    // On Kafka the file source may repeat lines.
    const letters = (await lettersOf(flow)).map(({ key }) => key.text);
    await flow.connectors(true);
    const target = { topic: flow.topic, sink: `connect-${flow.sink}-resubmitted` };
    for (const to of ['sink', 'topic']) await flow.resubmit({ filter: {}, limit: 5, target: to, force: true });
    for (let round = 0; round < 4; round++) {
      const asking = new AbortController();
      const asked = (async () => {
        while (!asking.signal.aborted) {
          const to = random.between(0, 1) === 0 ? 'topic' : 'sink';
          await flow.resubmit({ filter: {}, limit: random.between(1, 15), target: to, force: true }).catch(() => sleep(20));
        }
      })();
      await sleep(random.between(100, 900));
      await worker.kill();
      asking.abort();
      await asked;
      await worker.restart();
      await flow.connectors(true);
    }
    await eventually(
      'nothing to resubmit',
      async () => Object.keys((await flow.resubmit({ filter: {}, limit: 500, force: true })).counts).length === 0,
    );
    assert.equal((await lettersOf(flow)).length, letters.length);
    const own = ((await read(target.topic))[target.topic] ?? [])
      .map(({ value }) => value ?? '')
      .filter((value) => value.startsWith('word'));
    const straight = ((await read(target.sink))[target.sink] ?? []).map(({ value }) => value ?? '');
    // Each stands in its topic as it was refused, and once more.
    assert.deepEqual([...own, ...straight].toSorted(), [...letters, ...letters].toSorted());
    assert.ok(
      straight.length > 0 && own.length > letters.length,
      `${straight.length} went straight, ${own.length - letters.length} to their topic`,
    );
    await eventually('all lines', () => new Set(linesOf(flow.output)).size === lines.length);
  });
}
