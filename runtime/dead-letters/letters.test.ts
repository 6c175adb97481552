import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawRecord } from '../batch/record-reader.ts';
import { resubmissionTopic } from '../ports/dead-letters.ts';
import { decodeEntry, decodeKey, encodeEntry, encodeKey } from './ledger-entry.ts';
import { belongsTo, letterOf, matches, ownHeaders } from './letter.ts';
import { LetterStates } from './letter-states.ts';

const headers = (entries: Readonly<Record<string, string>>): RawRecord['headers'] =>
  Object.entries(entries).map(([key, value]) => ({ key, value: Buffer.from(value) }));

const record = (entries: Readonly<Record<string, string>>): RawRecord => ({
  offset: 17n,
  timestamp: 1_000,
  timestampType: 'CreateTime',
  key: Buffer.from('k'),
  value: null,
  headers: headers(entries),
});

const context = {
  own: 'h',
  '__connect.errors.topic': 't',
  '__connect.errors.partition': '3',
  '__connect.errors.offset': '42',
  '__connect.errors.connector.name': 'c',
  '__connect.errors.stage': 'TASK_PUT',
  '__connect.errors.exception.class.name': 'org.apache.kafka.connect.errors.DataException',
  '__connect.errors.exception.message': 'too long',
};

describe('a letter', () => {
  it('says where it came from; one that died again, where it stood first', () => {
    deepEqual(letterOf(0, record(context)).origin, { topic: 't', partition: 3, offset: 42n });
    const again = {
      ...context,
      '__millrace.resubmitted.topic': 'first',
      '__millrace.resubmitted.partition': '1',
      '__millrace.resubmitted.offset': '2',
    };
    deepEqual(letterOf(0, record(again)).origin, { topic: 'first', partition: 1, offset: 2n });
    equal(letterOf(0, record({})).origin, undefined);
    deepEqual(
      ownHeaders(record(again).headers).map(({ key }) => key),
      ['own'],
    );
  });

  it('is found by all that is asked for', () => {
    const letter = letterOf(2, record(context));
    const yes = { partition: 2, fromOffset: 17n, toOffset: 17n, stage: 'task_put', exception: 'DataEx', message: 'long', topic: 't' };
    equal(matches(letter, { ...yes, originPartition: 3, key: Buffer.from('k'), sinceMs: 1_000, untilMs: 1_001 }), true);
    for (const no of [
      { partition: 1 },
      { fromOffset: 18n },
      { toOffset: 16n },
      { stage: 'TRANSFORMATION' },
      { exception: 'Retriable' },
      { message: 'short' },
      { topic: 'u' },
      { originPartition: 0 },
      { key: Buffer.from('l') },
      { sinceMs: 1_001 },
      { untilMs: 1_000 },
    ]) {
      equal(matches(letter, no), false, Object.keys(no).join());
    }
    deepEqual([belongsTo(letter, 'c'), belongsTo(letter, 'd'), belongsTo(letterOf(0, record({})), 'd')], [true, false, true]);
  });
});

describe('the ledger', () => {
  it('gives back what was written', () => {
    const key = { topic: 'a "b"', topicId: 'x_-', partition: 3, offset: 9_007_199_254_740_993n };
    deepEqual(decodeKey(encodeKey(key)), key);
    const entry = {
      state: 'resubmitted',
      atMs: 5,
      connector: 'c',
      target: 'topic',
      to: { topic: 't', partition: 1, offset: 9_007_199_254_740_993n },
      edited: true,
    } as const;
    deepEqual(decodeEntry(encodeEntry(entry)), entry);
    for (const text of ['', '{}', 'null', '{"state":"new"}', '{"state":']) equal(decodeEntry(Buffer.from(text)), undefined, text);
    for (const text of ['', '{}', '{"topic":"t","topicId":"","partition":0,"offset":"1"}'])
      equal(decodeKey(Buffer.from(text)), undefined, text);
  });

  it('knows the state of each letter, and where it stands', () => {
    const states = new LetterStates();
    states.set({ partition: 0, offset: 511n }, 'discarded', 0n);
    states.set({ partition: 0, offset: 512n }, 'resubmitted', 70_000_000_000n);
    states.set({ partition: 1, offset: 512n }, 'failed', 3n);
    states.set({ partition: 1, offset: 512n }, 'new', 4n);
    const at = (partition: number, offset: bigint) => [states.state({ partition, offset }), states.ledgerOffset({ partition, offset })];
    deepEqual(at(0, 511n), ['discarded', 0n]);
    deepEqual(at(0, 512n), ['resubmitted', 70_000_000_000n]);
    deepEqual(at(1, 512n), ['new', undefined]);
    deepEqual(at(2, 0n), ['new', undefined]);
  });
});

describe('a resubmission topic', () => {
  it('has a name that a topic can have, and no other group has', () => {
    equal(resubmissionTopic('connect-orders'), 'connect-orders-resubmitted');
    const odd = ['connect-a b', 'connect-a_b', 'connect-a:b'].map(resubmissionTopic);
    equal(new Set(odd).size, 3);
    for (const name of odd) equal(/^[\w.-]{1,249}$/.test(name), true, name);
  });
});
