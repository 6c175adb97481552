import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawConfig, SinkRecord } from '@millrace/runtime/api';

import { pluginsOf } from '../../../runtime/plugins/manifest.ts';
import { BatchBuilder } from '../bulk-batch.ts';
import { conflictWatch } from '../conflict-watch.ts';
import { delivery } from '../delivery.ts';
import { documentWriter } from '../document.ts';
import { operationOf, operationWriter } from '../operation.ts';
import type { Operation } from '../operation.ts';
import manifest from '../package.json' with { type: 'json' };
import { createResources } from '../resources.ts';
import { readSettings } from '../settings.ts';
import { record, valuesOf } from './task-fixture.ts';

const through = 'connect-c-resubmitted';

/** The letter of t-2@17, at an offset of the topic that it comes through. */
const letter = (offset: number, fields: Partial<SinkRecord> = {}): SinkRecord =>
  record(offset, { key: 'k', originalTopic: through, resubmitted: { topic: 't', partition: 2, offset: 17n }, ...fields });

function operation(it: SinkRecord, raw: RawConfig = {}, epoch = 0): Operation {
  const found = operationOf(it, { resource: 'i', epoch }, readSettings(valuesOf(raw), raw));
  if (found === null) throw new Error('it does nothing');
  return found;
}

describe('a dead letter that was resubmitted', () => {
  it('goes straight to the sink, whose package says so', () => {
    deepEqual(
      pluginsOf(manifest, new URL(import.meta.url))?.map(({ resubmission }) => resubmission),
      [true],
    );
  });

  it('has the id that it would have had in its place, however often it comes', () => {
    const ids = [letter(0), letter(5), letter(0, { topic: 'renamed' })].map((it) => operation(it, { 'key.ignore': 'true' }).id);
    deepEqual(ids, ['t+2+17', 't+2+17', 'renamed+2+17']);
  });

  it('has the version that it would have had: above earlier records of its partition, below later ones', () => {
    deepEqual(
      [operation(letter(0)).version, operation(letter(500)).version, operation(letter(0), {}, 3).version],
      [17n, 17n, 3n * 2n ** 48n + 17n],
    );
  });

  it('goes by the epoch of the topic where it stood, which its task need not read', async () => {
    const meta: Record<string, unknown> = { t: { id: 'id-of-t', epoch: 4 }, [through]: { id: 'other', epoch: 9 } };
    const written: unknown[] = [];
    const settings = readSettings(valuesOf({ 'schema.ignore': 'true' }), {});
    const lines: string[] = [];
    const note = (line: string): void => void lines.push(line);
    const resources = createResources({
      requests: {
        exists: async () => true,
        send: async () => ({}),
        async allowed(method, _path, json) {
          if (method === 'PUT') written.push(json);
          return { i: { mappings: { _meta: { millrace: { topics: meta } } } } };
        },
      },
      settings,
      log: { debug() {}, info: note, warn: note, error: note },
      nameOf: (topic) => topic,
      topicIdOf: (topic) => (topic === through ? 'other' : ''),
    });
    equal((await resources.targetOf(letter(0))).epoch, 4);
    equal((await resources.targetOf(letter(1, { topic: 'renamed' }))).epoch, 4);
    // The topic's id stays known, though this task does not know it.
    deepEqual(
      [...written.map((json) => JSON.stringify(json).includes('"id-of-t"'))].filter((each) => !each),
      [],
    );
    deepEqual(lines, []);
  });

  it('says so where a later record of its document stays; a replay of it is one', () => {
    const counts: Record<string, number> = { replayed: 0, hidden: 0 };
    const lines: string[] = [];
    const watch = conflictWatch({
      log: { debug() {}, info() {}, warn: (line) => void lines.push(line), error() {} },
      count: (what, records) => void (counts[what] = (counts[what] ?? 0) + records),
      settledUpTo: () => 1_000n,
      now: () => 0,
    });
    watch.conflict(operation(letter(0)), 17n, false);
    watch.conflict(operation(letter(1)), 20n, false);
    watch.conflict(operation(letter(2)), 21n, true);
    watch.judge();
    watch.judge();
    deepEqual(counts, { replayed: 1, hidden: 2 });
    const said = lines.filter((line) => line.includes('resubmitted'));
    equal(said.length, 1, lines.join('\n'));
    match(
      said[0] ?? '',
      /^2 resubmitted dead letters were not written.* later versions.*The first: t-2@17, resubmitted, document "k" of "i", which has version 20 \(the letter's is 17\)/,
    );
  });

  it('is not dropped in silence where a later record overtakes it within a request', async () => {
    const told: string[] = [];
    const settled: string[] = [];
    const raw = { 'schema.ignore': 'true' };
    const write = operationWriter(documentWriter(readSettings(valuesOf(raw), raw)), 1);
    const builder = new BatchBuilder({ records: 10, bytes: Infinity });
    for (const it of [letter(0), record(20, { key: 'k', partition: 2 })]) builder.add(operation(it, raw), write);
    await delivery({
      maxRetries: 1,
      backoffMs: 0,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      signal: new AbortController().signal,
      post: async () => ({ kind: 'items', items: [{ status: 429, error: { type: 'es_rejected_execution_exception' } }, { status: 200 }] }),
      exception: async ({ record: { offset } }, it) => void told.push(`${offset} ${it.kind} ${it.kind === 'conflict' ? it.current : ''}`),
      abandoned: () => false,
      settled: ({ record: { offset } }) => void settled.push(String(offset)),
      count() {},
    })(builder.take());
    deepEqual(told, ['0 conflict 20']);
    deepEqual(settled.toSorted(), ['0', '20']);
  });
});
