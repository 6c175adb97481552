import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProducerPartition } from './producer-partition.ts';
import type { AppendCall, Outgoing } from './producer-partition.ts';

const call: AppendCall = { outstanding: 1, appended: [], resolve: () => {}, reject: () => {} };

function outgoing(index: number, records = 10): Outgoing {
  const buffer = new ArrayBuffer(1);
  const batch = { topic: 't', partition: 0, buffer, length: 1, records };
  return { batch, bytes: Buffer.from(buffer), call, index, since: 0, sequence: -1, uncertain: false };
}

/** Takes as many as may go out now; their indexes. */
function takeAll(partition: ProducerPartition, limit = 10): Outgoing[] {
  const taken: Outgoing[] = [];
  while (taken.length < limit) {
    const next = partition.next(Date.now());
    if (next === undefined) break;
    partition.take(() => {});
    taken.push(next);
  }
  return taken;
}

function proven(batches: number): { partition: ProducerPartition; flying: Outgoing[] } {
  const partition = new ProducerPartition('t', 0);
  partition.push(outgoing(0));
  const [first] = takeAll(partition);
  partition.acknowledged(first as Outgoing);
  for (let i = 1; i <= batches; i++) partition.push(outgoing(i));
  return { partition, flying: takeAll(partition) };
}

describe('a partition of a producer', () => {
  test('the first batch goes alone; after its acknowledgement several are in flight', () => {
    const partition = new ProducerPartition('t', 0);
    for (let i = 0; i < 4; i++) partition.push(outgoing(i));
    const first = takeAll(partition);
    assert.deepEqual(
      first.map(({ sequence }) => sequence),
      [0],
    );
    partition.acknowledged(first[0] as Outgoing);
    assert.deepEqual(
      takeAll(partition).map(({ sequence }) => sequence),
      [10, 20, 30],
    );
  });

  test('after a failure nothing goes out until all are answered; then in order, under the same numbers', () => {
    const { partition, flying } = proven(3);
    const [one, two, three] = flying as [Outgoing, Outgoing, Outgoing];
    partition.push(outgoing(4));
    partition.failed(two);
    assert.equal(partition.next(Date.now()), undefined);
    partition.failed(one);
    assert.equal(partition.next(Date.now()), undefined);
    partition.failed(three);
    assert.equal(partition.failures, 1);
    const again = takeAll(partition);
    assert.deepEqual(again, [one], 'one alone, until the broker is known to hold our numbers');
    assert.ok(partition.acknowledged(one));
    assert.deepEqual(
      takeAll(partition).map(({ sequence }) => sequence),
      [20, 30, 40],
    );
  });

  test('an acknowledged batch that overtook a failed one is told; one that may be in the log is not overtaken', () => {
    const { partition, flying } = proven(2);
    partition.failed(flying[0] as Outgoing);
    assert.equal(partition.acknowledged(flying[1] as Outgoing), false);
    const other = proven(2);
    (other.flying[0] as Outgoing).uncertain = true;
    other.partition.failed(other.flying[0] as Outgoing);
    assert.equal(other.partition.acknowledged(other.flying[1] as Outgoing), true);
  });

  test('sequence numbers go on at 0 after 2^31 - 1, and order holds across that', () => {
    const partition = new ProducerPartition('t', 0);
    partition.push(outgoing(0, 2_147_483_000));
    partition.acknowledged(takeAll(partition)[0] as Outgoing);
    for (let i = 1; i < 4; i++) partition.push(outgoing(i, 400));
    const flying = takeAll(partition);
    assert.deepEqual(
      flying.map(({ sequence }) => sequence),
      [2_147_483_000, 2_147_483_400, 152],
    );
    for (const each of flying.toReversed()) partition.failed(each);
    assert.equal(partition.next(Date.now())?.sequence, 2_147_483_000);
  });

  test('with a new producer id all begins at 0', () => {
    const { partition, flying } = proven(2);
    for (const each of flying) partition.failed(each);
    partition.restart();
    assert.deepEqual(
      takeAll(partition).map(({ sequence, index }) => [sequence, index]),
      [[0, 1]],
    );
  });
});
