import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { openTestLog } from '../../test/contract/embedded-test-log.ts';
import { readPartition } from '../../test/contract/log-fixture.ts';
import { ledgerTopic } from '../ports/dead-letters.ts';
import { overtakenNote } from '../ports/letter-notes.ts';
import { all, ends, openLetters, these } from './test/letters-fixture.ts';
import type { LettersFixture } from './test/letters-fixture.ts';

const week = 7 * 24 * 3_600_000;

/** What the ledger says of each letter by now, without what compaction takes away. */
async function kept({ log, queue }: LettersFixture): Promise<string[]> {
  const last = new Map<string, string | null>();
  for (const { key, value } of await readPartition(log, ledgerTopic(queue), 0, 'read_committed')) last.set(key ?? '', value);
  return [...last].flatMap(([key, value]) =>
    value === null ? [] : [`${/"offset":(\d+)/.exec(key)?.[1]} ${/"state":"(\w+)"/.exec(value)?.[1]}`],
  );
}

describe('ledger entries', () => {
  it('go when their letters are deleted, and not before', async () => {
    let now = Date.now();
    const opened = await openTestLog({ now: () => now });
    await using fixture = await openLetters(async () => opened);
    const { deadLetters, name, log, queue } = fixture;
    await fixture.letters({ key: 'a', value: '1', at: [0, 0] }, { key: 'b', value: '2', at: [0, 1] }, { key: 'c', value: '3', at: [0, 2] });
    await fixture.resubmit(these(0), { target: 'sink' });
    const straight = `connect-${name}-resubmitted`;
    const [record] = await readPartition(log, straight, 0, 'read_committed');
    const headers = Object.entries(record?.headers ?? {}).map(([key, value]) => ({ key, value: Buffer.from(value ?? '') }));
    const note = overtakenNote(headers, { topic: straight, partition: 0, offset: 0n }, name, 'later');
    await fixture.append(ledgerTopic(queue), 0, [{ key: note?.key.toString() ?? '', value: note?.value.toString() ?? '' }]);
    await fixture.resubmit(these(1));
    await deadLetters.discard(name, { selection: these(2), dryRun: false });
    const before = ['0 resubmitted', '0 overtaken', '1 resubmitted', '2 discarded'];
    assert.deepEqual(await kept(fixture), before);

    now += 2 * week;
    await opened.log.tidyUp();
    const later = { key: 'd', value: '4', at: [0, 3] as const };
    await fixture.letters(later, { ...later, key: 'e' });
    assert.deepEqual(await kept(fixture), before);
    assert.deepEqual(ends(await fixture.resubmit(these(3))), ['0:3 resubmitted']);
    assert.deepEqual(await kept(fixture), ['3 resubmitted']);
    // What is there still is known still.
    assert.deepEqual(ends(await fixture.resubmit(all)), ['0:4 resubmitted']);
    assert.deepEqual(await kept(fixture), ['3 resubmitted', '4 resubmitted']);
  });
});
