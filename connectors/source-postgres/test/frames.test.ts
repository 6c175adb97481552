import assert from 'node:assert/strict';
import { test } from 'node:test';

import { slotNull } from '@millrace/runtime/api';

import { readCopyRow } from '../snapshot/copy-rows.ts';
import { createFrameCutter } from '../stream/frames.ts';
import { ProtocolError } from '../pgoutput/reader.ts';

const frame = (type: string, payload: string): Buffer => {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};

const frames = [
  frame('W', 'start'),
  frame('d', 'one'),
  frame('d', ''),
  frame('d', 'x'.repeat(70)),
  frame('c', ''),
  frame('d', 'last'),
  frame('Z', 'I'),
];
const expected = ['W:start', 'one', '', 'x'.repeat(70), 'c:', 'last', 'Z:I'];

test('frames come whole and in order, however the bytes are cut', () => {
  const stream = Buffer.concat(frames);
  for (let size = 1; size <= stream.length; size++) {
    const seen: string[] = [];
    const cutter = createFrameCutter({
      copyData: (bytes, start, end) => seen.push(bytes.toString('utf8', start, end)),
      other: (message) => seen.push(`${message.toString('utf8', 0, 1)}:${message.toString('utf8', 5)}`),
    });
    for (let at = 0; at < stream.length; at += size) {
      const chunk = Buffer.from(stream.subarray(at, at + size));
      assert.equal(cutter.cut(chunk, 0), chunk.length);
    }
    assert.deepEqual(seen, expected, `chunks of ${size}`);
  }
});

test('a handler that stops is left alone until it is ready, at whatever frame', () => {
  const stream = Buffer.concat(frames);
  for (const size of [3, 7, 50, stream.length]) {
    const seen: string[] = [];
    const cutter = createFrameCutter({
      copyData(bytes, start, end) {
        seen.push(bytes.toString('utf8', start, end));
        cutter.stopped = true;
      },
      other: (message) => seen.push(`${message.toString('utf8', 0, 1)}:${message.toString('utf8', 5)}`),
    });
    for (let from = 0; from < stream.length; from += size) {
      const chunk = Buffer.from(stream.subarray(from, from + size));
      for (let at = 0; at < chunk.length;) {
        cutter.stopped = false;
        at = cutter.cut(chunk, at);
      }
    }
    assert.deepEqual(seen, expected, `chunks of ${size}`);
  }
});

test('what is no frame is a ProtocolError', () => {
  const cutter = createFrameCutter({ copyData() {}, other() {} });
  assert.throws(() => cutter.cut(Buffer.from([0x64, 0, 0, 0, 1, 0, 0]), 0), ProtocolError);
  assert.throws(() => cutter.cut(Buffer.from([0x64, 0xff, 0, 0, 1, 0, 0]), 0), ProtocolError);
});

test('lines of COPY: nulls, escapes, empty values', () => {
  const row = (line: string, columns: number): (string | null)[] => {
    const bytes = Buffer.from(`##${line}\n`);
    const slots = new Int32Array(2 * columns + 2);
    readCopyRow(bytes, 2, bytes.length, columns, slots, 2);
    return Array.from({ length: columns }, (_, i) =>
      slots[2 + 2 * i] === slotNull ? null : bytes.toString('utf8', slots[2 + 2 * i], slots[3 + 2 * i]),
    );
  };
  assert.deepEqual(row('1\ta b\t\\N\t', 4), ['1', 'a b', null, '']);
  assert.deepEqual(row('a\\tb\\nc\\\\d\\\\N\té\t\\\\N', 3), ['a\tb\nc\\d\\N', 'é', '\\N']);
  assert.deepEqual(row('\\\\x00ff\t\\b\\f\\v\\r', 2), ['\\x00ff', '\b\f\v\r']);
  assert.deepEqual(row('', 1), ['']);
  assert.deepEqual(row('', 0), []);
  assert.throws(() => row('1\t2', 3), ProtocolError);
  assert.throws(() => row('1\t2\t3', 2), ProtocolError);
});
