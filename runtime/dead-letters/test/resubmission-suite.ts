/** What resubmission promises, on either log. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { readPartition } from '../../../test/contract/log-fixture.ts';
import type { OpenLog } from '../../../test/contract/log-fixture.ts';
import { ledgerTopic } from '../../ports/dead-letters.ts';
import type { RequestError } from '../../ports/herder.ts';
import { overtakenNote } from '../../ports/letter-notes.ts';
import { all, ends, openLetters, these } from './letters-fixture.ts';

export function registerResubmission(what: string, open: OpenLog): void {
  describe(`resubmission on ${what}`, () => {
    it('puts each letter back as the record was, to where it came from, in order', async () => {
      await using fixture = await openLetters(open);
      const timestamp = Date.now() - 5_000;
      await fixture.append(fixture.topic, 1, ['a', 'b', 'c']);
      await fixture.letters(
        { key: 'k1', value: 'v1', at: [1, 0], headers: { own: 'h' }, timestamp },
        { value: 'v2', at: [1, 2] },
        { key: 'k3', value: null, at: [0, 0] },
      );
      const report = await fixture.resubmit(all);
      assert.deepEqual(ends(report), ['0:0 resubmitted', '0:1 resubmitted', '0:2 resubmitted']);
      const written = (await fixture.read(1)).slice(3);
      assert.deepEqual(
        written.map(({ key, value, headers }) => ({ key, value, headers })),
        [
          { key: 'k1', value: 'v1', headers: { own: 'h' } },
          { key: null, value: 'v2', headers: {} },
        ],
      );
      assert.equal(written[0]?.timestamp, timestamp);
      assert.deepEqual(
        (await fixture.read(0)).map(({ key, value }) => [key, value]),
        [['k3', null]],
      );
      assert.deepEqual(
        report.outcomes.map(({ to }) => to),
        [
          { topic: fixture.topic, partition: 1, offset: written[0]?.offset },
          { topic: fixture.topic, partition: 1, offset: written[1]?.offset },
          { topic: fixture.topic, partition: 0, offset: 0n },
        ],
      );
    });

    it('happens once for each letter, however often it is asked for', async () => {
      await using fixture = await openLetters(open);
      await fixture.letters({ key: 'a', value: '1', at: [0, 0] }, { key: 'b', value: '2', at: [0, 1] });
      await fixture.resubmit(these(0));
      assert.deepEqual(ends(await fixture.resubmit(these(0, 1), { force: true })), ['0:0 unchanged', '0:1 resubmitted']);
      assert.deepEqual(ends(await fixture.resubmit(all, { force: true })), []);
      assert.deepEqual(
        (await fixture.read(0)).map(({ value }) => value),
        ['1', '2'],
      );
      const { state, entry } = await fixture.deadLetters.get(fixture.name, { partition: 0, offset: 1n });
      assert.equal(state, 'resubmitted');
      assert.deepEqual(
        { ...entry, atMs: 0 },
        {
          state: 'resubmitted',
          atMs: 0,
          connector: fixture.name,
          target: 'topic',
          to: { topic: fixture.topic, partition: 0, offset: (await fixture.read(0))[1]?.offset },
        },
      );
    });

    it('happens once for each letter when several workers do it at the same time', async () => {
      await using fixture = await openLetters(open);
      const count = 3_000;
      await fixture.letters(...Array.from({ length: count }, (_, n) => ({ key: `k${n}`, value: String(n), at: [0, n] as const })));
      // On the embedded log there is one process, and so one of them.
      const workers = fixture.log.kind === 'embedded' ? Array(4).fill(fixture.deadLetters) : Array.from({ length: 4 }, fixture.another);
      const request = { selection: { filter: {}, limit: count }, target: 'topic', force: false, dryRun: false } as const;
      for (let round = 0; round < 20; round++) {
        const done = await Promise.allSettled(workers.map((worker: typeof fixture.deadLetters) => worker.resubmit(fixture.name, request)));
        for (const each of done)
          if (each.status === 'rejected') assert.equal((each.reason as RequestError).status, 409, String(each.reason));
        if (done.some(({ status }) => status === 'fulfilled') && (await fixture.resubmit(request.selection)).outcomes.length === 0) break;
      }
      const values = (await fixture.read(0)).map(({ value }) => Number(value));
      assert.deepEqual(
        values.toSorted((a, b) => a - b),
        Array.from({ length: count }, (_, n) => n),
      );
    });

    it('leaves alone what a later record of the same key has overtaken, unless it is forced', async () => {
      await using fixture = await openLetters(open);
      const { append, topic } = fixture;
      await append(topic, 0, [{ key: 'a', value: 'bad' }, { key: 'b', value: 'bad' }, { value: 'x' }, { key: 'a', value: 'later' }]);
      await append(topic, 1, [{ key: 'b', value: 'in another partition' }]);
      await fixture.letters({ key: 'a', value: 'bad', at: [0, 0] }, { key: 'b', value: 'bad', at: [0, 1] }, { value: 'x', at: [0, 2] });
      assert.deepEqual(ends(await fixture.resubmit(all, { dryRun: true })), ['0:0 superseded', '0:1 resubmitted', '0:2 resubmitted']);
      const report = await fixture.resubmit(all);
      assert.deepEqual(ends(report), ['0:0 superseded', '0:1 resubmitted', '0:2 resubmitted']);
      assert.deepEqual(report.outcomes[0]?.by, { topic, partition: 0, offset: 3n });
      assert.deepEqual(ends(await fixture.resubmit(all)), ['0:0 superseded']);
      const listed = await fixture.deadLetters.list(fixture.name, { filter: { states: ['superseded'] }, limit: 10 });
      assert.deepEqual(
        listed.letters.map(({ offset, entry }) => [offset, entry?.by?.offset]),
        [[0n, 3n]],
      );
      assert.deepEqual(ends(await fixture.resubmit(all, { force: true })), ['0:0 resubmitted']);
      assert.deepEqual(
        (await fixture.read(0)).slice(4).map(({ value }) => value),
        ['bad', 'x', 'bad'],
      );
      const { entry } = await fixture.deadLetters.get(fixture.name, { partition: 0, offset: 0n });
      assert.equal(entry?.forced, true);
    });

    it('tells of later records when it is asked to look, without a word in the ledger', async () => {
      await using fixture = await openLetters(open);
      await fixture.append(fixture.topic, 0, [
        { key: 'a', value: 'bad' },
        { key: 'a', value: 'later' },
      ]);
      await fixture.letters({ key: 'a', value: 'bad', at: [0, 0] }, { key: 'z', value: 'bad', at: [0, 0] });
      const states = async (check: boolean): Promise<string[]> =>
        (await fixture.deadLetters.list(fixture.name, { filter: {}, limit: 10, check })).letters.map(({ state }) => state);
      assert.deepEqual(
        [await states(false), await states(true), await states(false)],
        [
          ['new', 'new'],
          ['superseded', 'new'],
          ['new', 'new'],
        ],
      );
    });

    it('takes a letter of a topic that was made anew for superseded by any record of its key', async () => {
      await using fixture = await openLetters(open);
      await fixture.append(fixture.topic, 0, [{ key: 'a', value: 'of the new topic' }]);
      await fixture.letters({ key: 'a', value: 'old', at: [0, 900] }, { key: 'b', value: 'old', at: [0, 901] });
      assert.deepEqual(ends(await fixture.resubmit(all)), ['0:0 superseded', '0:1 resubmitted']);
    });

    it('writes what was edited', async () => {
      await using fixture = await openLetters(open);
      await fixture.letters({ key: 'a', value: 'bad', at: [0, 0], headers: { own: '1' } }, { value: 'no key', at: [0, 1] });
      await fixture.resubmit(these({ partition: 0, offset: 0n, edit: { value: Buffer.from('good'), headers: [] } }));
      const keyed = these({ partition: 0, offset: 1n, edit: { key: Buffer.from('k2') } });
      // Which partition the key belongs to is the partitioner's: held back where the order there cannot be told.
      const [outcome] = (await fixture.resubmit(keyed)).outcomes;
      if (outcome?.outcome === 'held') await fixture.resubmit(keyed, { force: true });
      const written = [...(await fixture.read(0)), ...(await fixture.read(1))];
      assert.deepEqual(
        written.map(({ key, value, headers }) => ({ key, value, headers })),
        [
          { key: 'a', value: 'good', headers: {} },
          { key: 'k2', value: 'no key', headers: {} },
        ],
      );
      const { entry, value } = await fixture.deadLetters.get(fixture.name, { partition: 0, offset: 0n });
      assert.deepEqual([entry?.edited, value?.toString()], [true, 'bad']);
    });

    it('keeps the reason of what cannot be done, and does the rest', async () => {
      await using fixture = await openLetters(open, { topics: 'one,two' });
      // As UTF-8 the topic of dead letters has room for it, the other has not.
      const huge = randomBytes(1_200_000).toString('latin1');
      await fixture.letters({ key: 'a', value: 'no context' });
      await fixture.letters({ key: 'b', value: huge, at: [0, 0] });
      await fixture.letters({ key: 'c', value: 'fine', at: [0, 1] });
      await fixture.letters({ key: 'd', value: '{}', at: [0, -1] });
      const { outcomes } = await fixture.resubmit(all);
      assert.deepEqual(
        outcomes.map(({ outcome }) => outcome),
        ['failed', 'failed', 'resubmitted', 'failed'],
      );
      assert.match(outcomes[0]?.reason ?? '', /which topic it came from/);
      assert.match(outcomes[1]?.reason ?? '', /Raise max.message.bytes/);
      assert.match(outcomes[3]?.reason ?? '', /a source’s/);
      const { state, entry } = await fixture.deadLetters.get(fixture.name, { partition: 0, offset: 1n });
      assert.deepEqual([state, entry?.error], ['failed', outcomes[1]?.reason]);
    });

    it('discards, and takes back only with force', async () => {
      await using fixture = await openLetters(open);
      await fixture.letters({ key: 'a', value: '1', at: [0, 0] }, { key: 'b', value: '2', at: [0, 1] });
      const { deadLetters, name } = fixture;
      assert.deepEqual(ends(await deadLetters.discard(name, { selection: these(0, 7), dryRun: false })), ['0:0 discarded', '0:7 missing']);
      assert.deepEqual(ends(await fixture.resubmit(these(0))), ['0:0 held']);
      assert.deepEqual(ends(await fixture.resubmit(all)), ['0:1 resubmitted']);
      assert.deepEqual(ends(await deadLetters.discard(name, { selection: these(0, 1), dryRun: false })), [
        '0:0 unchanged',
        '0:1 unchanged',
      ]);
      assert.deepEqual(ends(await fixture.resubmit(these(0), { force: true })), ['0:0 resubmitted']);
    });

    it('does not take letters of a topic that was made anew for those that were there before', async () => {
      await using fixture = await openLetters(open);
      await fixture.letters({ key: 'a', value: 'first', at: [0, 0] });
      await fixture.resubmit(all);
      await fixture.log.deleteTopics([fixture.queue]);
      for (let gone = false; !gone;) gone = (await fixture.log.describeTopics([fixture.queue])).length === 0;
      await fixture.log.createTopics([{ name: fixture.queue, partitions: 1 }]);
      await fixture.letters({ key: 'b', value: 'second', at: [0, 1] });
      assert.deepEqual(ends(await fixture.resubmit(all)), ['0:0 resubmitted']);
      assert.equal((await readPartition(fixture.log, ledgerTopic(fixture.queue), 0, 'read_committed')).length >= 2, true);
    });

    it('does not go straight to the sink without where its record stood', async () => {
      await using fixture = await openLetters(open);
      await fixture.letters({ key: 'a', value: 'no context' });
      const { outcomes } = await fixture.resubmit(all, { target: 'sink', force: true });
      assert.match(outcomes[0]?.reason ?? '', /does not say where its record stood/);
      assert.deepEqual(ends(await fixture.resubmit(all, { force: true })), ['0:0 resubmitted']);
    });

    it('goes straight to a topic of the sink’s own, with where the record stood', async () => {
      await using fixture = await openLetters(open);
      await fixture.letters({ key: 'a', value: '1', at: [1, 5], headers: { own: 'h' } });
      const report = await fixture.resubmit(all, { target: 'sink' });
      const straight = `connect-${fixture.name}-resubmitted`;
      assert.deepEqual(report.outcomes[0]?.to, { topic: straight, partition: 0, offset: 0n });
      assert.deepEqual(fixture.restarted, [fixture.name]);
      const [record] = await readPartition(fixture.log, straight, 0, 'read_committed');
      assert.deepEqual(record?.headers, {
        own: 'h',
        '__millrace.resubmitted.topic': fixture.topic,
        '__millrace.resubmitted.partition': '1',
        '__millrace.resubmitted.offset': '5',
        '__millrace.resubmitted.letter':
          (await readPartition(fixture.log, ledgerTopic(fixture.queue), 0, 'read_committed')).at(-1)?.key ?? '',
      });
      assert.equal((await fixture.read(1)).length, 0);
      await fixture.letters({ key: 'b', value: '2', at: [1, 6] });
      await fixture.resubmit(all, { target: 'sink' });
      assert.equal(fixture.restarted.length, 1);
    });

    it('keeps that the sink did not write one, whose place something later has, and lets it go elsewhere with force', async () => {
      await using fixture = await openLetters(open);
      const { deadLetters, name } = fixture;
      await fixture.letters({ key: 'a', value: '1', at: [0, 5] }, { key: 'b', value: '2', at: [0, 6] });
      await fixture.resubmit(all, { target: 'sink', force: true });
      const straight = `connect-${name}-resubmitted`;
      const [first] = await readPartition(fixture.log, straight, 0, 'read_committed');
      const says = async (offset: bigint): Promise<void> => {
        const headers = Object.entries(first?.headers ?? {}).map(([key, value]) => ({ key, value: Buffer.from(value ?? '') }));
        const note = overtakenNote(headers, { topic: straight, partition: 0, offset }, name, 'version 9 is there.');
        assert.ok(note);
        await fixture.append(note.topic, 0, [{ key: note.key.toString(), value: note.value.toString() }]);
      };
      const states = async (): Promise<string[]> =>
        (await deadLetters.list(name, { filter: {}, limit: 9 })).letters.map(({ state }) => state);

      await says(77n); // of a resubmission that was undone, or of another
      assert.deepEqual(await states(), ['resubmitted', 'resubmitted']);
      await says(first?.offset ?? -1n);
      assert.deepEqual(await states(), ['overtaken', 'resubmitted']);
      const { entry } = await deadLetters.get(name, { partition: 0, offset: 0n });
      assert.deepEqual([entry?.state, entry?.error, entry?.to?.offset], ['overtaken', 'version 9 is there.', first?.offset]);

      assert.deepEqual(ends(await fixture.resubmit(these(0, 1))), ['0:0 held', '0:1 unchanged']);
      assert.deepEqual(ends(await fixture.resubmit(these(0), { force: true })), ['0:0 resubmitted']);
      assert.deepEqual(await states(), ['resubmitted', 'resubmitted']);
      assert.deepEqual(
        (await fixture.read(0)).map(({ value }) => value),
        ['1'],
      );
      assert.deepEqual(ends(await fixture.resubmit(these(0), { force: true })), ['0:0 unchanged']);
    });
  });
}
