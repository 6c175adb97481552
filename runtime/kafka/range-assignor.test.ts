import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './consumer-protocol.ts';
import { assignRanges } from './range-assignor.ts';

const member = (memberId: string, topics: readonly string[], instanceId: string | null = null) => ({ memberId, instanceId, topics });

function shares(members: ReturnType<typeof member>[], partitions: Readonly<Record<string, number>>): Record<string, string> {
  const assigned = assignRanges(members, (topic) => partitions[topic] ?? 0);
  return Object.fromEntries([...assigned].map(([id, each]) => [id, each.map(({ topic, partition }) => `${topic}${partition}`).join(' ')]));
}

describe('range', () => {
  // The examples of Kafka's RangeAssignorTest.
  test('one member has all', () => assert.deepEqual(shares([member('a', ['t'])], { t: 3 }), { a: 't0 t1 t2' }));
  test('two topics of three for two members', () => {
    assert.deepEqual(shares([member('b', ['t', 'u']), member('a', ['t', 'u'])], { t: 3, u: 3 }), { a: 't0 t1 u0 u1', b: 't2 u2' });
  });
  test('members want different topics', () => {
    const members = [member('a', ['t']), member('b', ['t', 'u']), member('c', ['t'])];
    assert.deepEqual(shares(members, { t: 3, u: 2 }), { a: 't0', b: 't1 u0 u1', c: 't2' });
  });
  test('a topic that is not there, and members without a share', () => {
    assert.deepEqual(shares([member('a', ['t', 'no']), member('b', ['t'])], { t: 1 }), { a: 't0', b: '' });
  });
  test('static members come first, by instance id', () => {
    const members = [member('a', ['t']), member('z', ['t'], '1'), member('y', ['t'], '2')];
    assert.deepEqual(shares(members, { t: 4 }), { z: 't0 t1', y: 't2', a: 't3' });
  });
});

describe('the consumer protocol', () => {
  test('a subscription as the JVM client writes it, version 3', () => {
    const bytes = encodeSubscription(['b', 'a']);
    assert.equal(bytes.toString('hex'), '0003' + '00000002' + '000161' + '000162' + 'ffffffff' + '00000000' + 'ffffffff' + 'ffff');
    assert.deepEqual(decodeSubscription(bytes), { topics: ['a', 'b'] });
  });
  test('a subscription of version 0', () => {
    assert.deepEqual(decodeSubscription(Buffer.from('0000' + '00000001' + '000174' + 'ffffffff', 'hex')), { topics: ['t'] });
  });
  test('an assignment, there and back, and none', () => {
    const partitions = [
      { topic: 't', partition: 0 },
      { topic: 't', partition: 7 },
      { topic: 'ü', partition: 1 },
    ];
    assert.deepEqual(decodeAssignment(encodeAssignment(partitions)), partitions);
    assert.equal(
      encodeAssignment(partitions.slice(0, 1)).toString('hex'),
      '0003' + '00000001' + '000174' + '00000001' + '00000000' + 'ffffffff',
    );
    assert.deepEqual(decodeAssignment(Buffer.alloc(0)), []);
  });
});
