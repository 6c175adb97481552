import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { slotAbsent, slotNull } from '@millrace/runtime/api';

import { kinds, readBegin, readCommit, readLogicalMessage, readRelation, readTruncate } from '../pgoutput/messages.ts';
import { ProtocolError } from '../pgoutput/reader.ts';
import { readTuple } from '../pgoutput/tuple.ts';

const int = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(BigInt(value));
  return buffer.subarray(8 - bytes);
};
const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const message = (...parts: (number | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));

const begin = message(kinds.begin, int(0x16, 4), int(0xb374d848, 4), int(762_520_455_123_456, 8), int(4_000_000_000, 4));
const commit = message(kinds.commit, 0, int(100, 8), int(200, 8), int(0, 8));
const relation = message(
  kinds.relation,
  int(16_384, 4),
  text('public'),
  text('t é'),
  0x64,
  int(2, 2),
  1,
  text('id'),
  int(23, 4),
  int(-1, 4),
  0,
  text('n'),
  int(1700, 4),
  int(655_366, 4),
);
const truncate = message(kinds.truncate, int(2, 4), 1, int(16_384, 4), int(16_385, 4));
const logical = message(kinds.message, 1, int(300, 8), text('pre'), int(3, 4), Buffer.from('abc'));
const value = (content: string): Buffer => message(0x74, int(Buffer.byteLength(content), 4), Buffer.from(content));
const tuple = message(int(4, 2), value('12'), 0x6e, 0x75, value('é'));

describe('pgoutput', () => {
  test('begin and commit', () => {
    assert.deepEqual(readBegin(begin, 0, begin.length), { commitLsn: 0x16_b374_d848, commitUs: 1_709_205_255_123_456, xid: 4_000_000_000 });
    assert.deepEqual(readCommit(commit, 0, commit.length), { commitLsn: 100, endLsn: 200 });
  });

  test('a relation', () => {
    assert.deepEqual(readRelation(relation, 0, relation.length), {
      oid: 16_384,
      schema: 'public',
      table: 't é',
      replicaIdentity: 'd',
      columns: [
        { name: 'id', identity: true, type: 23, typmod: -1 },
        { name: 'n', identity: false, type: 1700, typmod: 655_366 },
      ],
    });
  });

  test('a truncate and a logical message', () => {
    assert.deepEqual(readTruncate(truncate, 0, truncate.length), { relations: [16_384, 16_385] });
    assert.deepEqual(readLogicalMessage(logical, 0, logical.length), {
      transactional: true,
      lsn: 300,
      prefix: 'pre',
      content: new Uint8Array([97, 98, 99]),
    });
  });

  test('a tuple', () => {
    const slots = new Int32Array(10);
    assert.equal(readTuple(tuple, 0, tuple.length, 4, slots, 2), tuple.length);
    assert.deepEqual([slots[4], slots[6]], [slotNull, slotAbsent]);
    assert.equal(tuple.subarray(slots[2], slots[3]).toString(), '12');
    assert.equal(tuple.subarray(slots[8], slots[9]).toString(), 'é');
    assert.throws(() => readTuple(tuple, 0, tuple.length, 5, slots, 0), /4 columns for a relation of 5/);
  });

  test('whatever the bytes are, the answer is a message or a ProtocolError', () => {
    const readers = [
      readBegin,
      readCommit,
      readRelation,
      readTruncate,
      readLogicalMessage,
      (bytes: Buffer, start: number, end: number) => readTuple(bytes, start, end, 4, new Int32Array(8), 0),
    ];
    const samples = [begin, commit, relation, truncate, logical, tuple];
    let seed = 42;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 0x1_0000_0000) * below);
    };
    for (let round = 0; round < 60_000; round++) {
      const bytes = Buffer.from(samples[random(samples.length)] as Buffer);
      for (let change = random(4); change > 0; change--) bytes[random(bytes.length)] = random(256);
      const end = random(8) === 0 ? random(bytes.length + 1) : bytes.length;
      const read = readers[random(readers.length)] as (typeof readers)[number];
      if (round % 3 === 0) bytes[0] = [kinds.begin, kinds.commit, kinds.relation, kinds.truncate, kinds.message][random(5)] as number;
      try {
        read(bytes, 0, end);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${String(error)} for ${bytes.toString('hex')}`);
      }
    }
  });

  test('a tuple never points beyond its message', () => {
    let seed = 7;
    for (let round = 0; round < 50_000; round++) {
      const bytes = Buffer.from(tuple);
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      bytes[seed % bytes.length] = (seed >>> 8) & 0xff;
      const end = bytes.length - ((seed >>> 16) % 5);
      const slots = new Int32Array(8);
      try {
        readTuple(bytes, 0, end, 4, slots, 0);
      } catch {
        continue;
      }
      for (let i = 0; i < 8; i += 2) assert.ok((slots[i] as number) < 0 || (slots[i + 1] as number) <= end);
    }
  });
});
