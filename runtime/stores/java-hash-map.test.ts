import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeByteMap, encodeByteMap } from './java-hash-map.ts';
import type { ByteEntry } from './java-hash-map.ts';

const entry = (key: string, value: string | null): ByteEntry => [Buffer.from(key), value === null ? null : Buffer.from(value)];

test('a map of byte arrays is what the JVM writes', () => {
  // ObjectOutputStream of OpenJDK 17 for a HashMap with one entry, "k" to "v".
  const jvm =
    'aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c64' +
    '78703f4000000000000c77080000001000000001757200025b42acf317f8060854e002000078700000000' +
    '16b7571007e0002000000017678';
  assert.equal(encodeByteMap([entry('k', 'v')]).toString('hex'), jvm);
  assert.deepEqual(decodeByteMap(Buffer.from(jvm, 'hex')), [entry('k', 'v')]);
});

test('maps of every size come back', () => {
  for (const count of [0, 1, 12, 13, 1000]) {
    const entries = Array.from({ length: count }, (_, i) => entry(`key ${i}`, i % 7 === 0 ? null : 'x'.repeat(i)));
    assert.deepEqual(decodeByteMap(encodeByteMap(entries)), entries);
  }
});

test('anything else is refused with the place', () => {
  const whole = encodeByteMap([entry('k', 'v')]);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decodeByteMap(whole.subarray(0, length)), /not a serialised java.util.HashMap .* at byte \d+/);
  }
  assert.throws(() => decodeByteMap(Buffer.from('{"not":"java"}')), /unexpected stream header at byte 4/);
});
