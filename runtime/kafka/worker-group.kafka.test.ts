import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { joinGroupV9 } from '@platformatic/kafka';
import { uniqueName, until } from '../../test/contract/log-fixture.ts';
import { useKafka } from '../../test/services/share.ts';
import { ConfigError } from '../api/index.ts';
import { networkSettings } from './client-settings.ts';
import { Cluster } from './cluster.ts';
import { Coordinator } from './coordinator.ts';
import { openKafkaLog } from './kafka-log.ts';
import { codes } from './protocol-error.ts';
import { joinNamed, sessionTimeoutMs, spawnNamed } from './test/worker-group-fixture.ts';
import { leaveGroup } from './worker-group-requests.ts';

/** Somebody who talks to the group's coordinator beside its members. */
async function stranger(brokers: readonly string[], groupId: string): Promise<{ coordinator: Coordinator } & Disposable> {
  const cluster = new Cluster(await networkSettings({ 'bootstrap.servers': brokers.join(',') }), 'stranger');
  await cluster.clusterId();
  return { coordinator: new Coordinator(cluster, 'stranger', groupId), [Symbol.dispose]: () => cluster.close() };
}

describe('a worker group', () => {
  test('members come and go: each is told by the leader, and who leaves is not waited for', async () => {
    const { brokers } = await useKafka();
    const groupId = uniqueName('workers');
    // Longer than this test waits for anything: neither a session that ends nor a rebalance that times out can help it.
    const options = { sessionTimeoutMs: 40_000, rebalanceTimeoutMs: 60_000 };
    await using a = await joinNamed(brokers, groupId, 'A', options);
    await until('A is alone', () => a.told() === 'told A by A');
    const b = await joinNamed(brokers, groupId, 'B', options);
    await using c = await joinNamed(brokers, groupId, 'C', options);
    await until('all know of each other', () => [a, b, c].every((member) => member.told() === 'told A,B,C by A'));
    await a.transport.leaveFor(1);
    await until('A is back, and leads no more', () =>
      [a, b, c].every((member) => /^told A,B,C by [BC]$/.test(member.told() ?? '') && member.told() === a.told()),
    );
    await b[Symbol.asyncDispose]();
    await until('two are left', () => a.told()?.startsWith('told A,C') === true && a.told() === c.told());
    assert.deepEqual(
      [...a.events, ...b.events, ...c.events].filter((event) => event === 'lost'),
      [],
    );
  });

  test('rejoin of the leader goes round to everybody', async () => {
    const { brokers } = await useKafka();
    const groupId = uniqueName('workers');
    await using a = await joinNamed(brokers, groupId, 'A');
    await using b = await joinNamed(brokers, groupId, 'B');
    await until('both', () => a.told() === 'told A,B by A' && b.told() === a.told());
    const before = b.generation();
    a.transport.rejoin();
    await until('a later generation', () => b.generation() > before && a.generation() === b.generation());
  });

  test('heartbeats go on while a share is taken in, for longer than a session; the others wait for it', async () => {
    const { brokers } = await useKafka();
    const groupId = uniqueName('workers');
    await using a = await joinNamed(brokers, groupId, 'A');
    await until('A is in', () => a.told() !== undefined);
    const done = Promise.withResolvers<void>();
    a.working = () => done.promise;
    a.transport.rejoin();
    await until('A is at work', () => a.events.length === 2);
    await using b = await joinNamed(brokers, groupId, 'B');
    const slowUntil = Date.now() + 1.5 * sessionTimeoutMs;
    await until('a session and a half', () => Date.now() > slowUntil);
    assert.deepEqual([a.events, b.events], [['told A by A', 'told A by A'], []], 'B waits for A');
    a.working = async () => {};
    done.resolve();
    await until('both', () => a.told() === 'told A,B by A' && b.told() === a.told());
    assert.equal(a.events.includes('lost'), false);
  });

  test('who is killed is gone when the session ends', async () => {
    const { brokers } = await useKafka();
    const groupId = uniqueName('workers');
    await using killed = await spawnNamed(brokers, groupId, 'K');
    await until('K is in', () => killed.events.length > 0);
    await using a = await joinNamed(brokers, groupId, 'A');
    await until('both', () => a.told() === 'told A,K by K');
    killed.signal('SIGKILL');
    await until('A is alone', () => a.told() === 'told A by A');
  });

  test('who stood still past its session learns of its loss first', async () => {
    const { brokers } = await useKafka();
    const groupId = uniqueName('workers');
    await using sleeper = await spawnNamed(brokers, groupId, 'S');
    await until('S is in', () => sleeper.events.length > 0);
    await using a = await joinNamed(brokers, groupId, 'A');
    await until('both', () => sleeper.events.at(-1) === 'told A,S by S' && a.told() === 'told A,S by S');
    const before = sleeper.events.length;
    sleeper.signal('SIGSTOP');
    await until('A is alone', () => a.told() === 'told A by A');
    sleeper.signal('SIGCONT');
    await until('S is back', () => sleeper.events.at(-1) === 'told A,S by A');
    assert.deepEqual(sleeper.events.slice(before), ['lost', 'told A,S by A']);
  });

  test('who stands still while it waits in a JoinGroup learns of its loss first, too', async () => {
    const { brokers } = await useKafka();
    const groupId = uniqueName('workers');
    await using a = await joinNamed(brokers, groupId, 'A');
    await until('A is in', () => a.told() !== undefined);
    await using sleeper = await spawnNamed(brokers, groupId, 'S');
    await until('both', () => sleeper.events.at(-1) === 'told A,S by A');
    // A lets S wait in its JoinGroup.
    const done = Promise.withResolvers<void>();
    a.working = () => done.promise;
    a.transport.rejoin();
    await until('S was told again', () => sleeper.events.length === 2);
    await using c = await joinNamed(brokers, groupId, 'C');
    const joinedBy = Date.now() + 3000;
    await until('S has heard of it and joined', () => Date.now() > joinedBy);
    sleeper.signal('SIGSTOP');
    const past = Date.now() + 1.5 * sessionTimeoutMs;
    await until('its session is over', () => Date.now() > past);
    a.working = async () => {};
    done.resolve();
    await until('the others are in', () => c.told() !== undefined);
    sleeper.signal('SIGCONT');
    await until('S is back', () => sleeper.events.length >= 4);
    assert.equal(sleeper.events[2], 'lost');
    assert.match(sleeper.events.at(-1) as string, /^told A,C,S by/);
  });

  test('who was put out of the group stops, and joins as somebody new', async () => {
    const { brokers } = await useKafka();
    const groupId = uniqueName('workers');
    await using a = await joinNamed(brokers, groupId, 'A');
    await until('A is in', () => a.told() !== undefined);
    const before = a.memberId();
    using other = await stranger(brokers, groupId);
    await leaveGroup(other.coordinator, groupId, before, 'put out by a test');
    await until('A is back', () => a.events.length === 3);
    assert.deepEqual(a.events, ['told A by A', 'lost', 'told A by A']);
    assert.notEqual(a.memberId(), before);
    assert.match(a.warnings.join(), /UNKNOWN_MEMBER_ID/);
  });

  test('whose generation is over stops, and joins as it was', async () => {
    const { brokers } = await useKafka();
    const groupId = uniqueName('workers');
    await using a = await joinNamed(brokers, groupId, 'A');
    await until('A is in', () => a.told() !== undefined);
    const before = a.memberId();
    using other = await stranger(brokers, groupId);
    const protocols = [{ name: 'names', metadata: Buffer.from('impostor') }];
    const { errorCode } = await other.coordinator.ask((connection) =>
      joinGroupV9.api.async(connection, groupId, sessionTimeoutMs, 20_000, before, null, 'connect', protocols, ''),
    );
    assert.equal(errorCode, codes.none, 'the group is a generation ahead of A');
    await until('A is back', () => a.events.length === 3);
    assert.deepEqual(a.events, ['told A by A', 'lost', 'told A by A']);
    assert.equal(a.memberId(), before);
    assert.match(a.warnings.join(), /ILLEGAL_GENERATION/);
  });

  test('a group of another kind is refused, and named', async () => {
    const { brokers } = await useKafka();
    const groupId = uniqueName('consumers');
    await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    const topic = uniqueName('topic');
    await log.createTopics([{ name: topic, partitions: 1 }]);
    await using group = await log.openGroup({ clientId: 'c', groupId, topics: { names: [topic] } });
    while ((await group.poll({ maxWaitMs: 500, maxBytes: 1000 })).kind !== 'assigned');
    await assert.rejects(
      joinNamed(brokers, groupId, 'A'),
      (error) => error instanceof ConfigError && error.message.includes(`"${groupId}"`) && /no Connect workers/.test(error.message),
    );
  });

  test('a heartbeat interval that a session has no room for is refused', async () => {
    await assert.rejects(joinNamed(['127.0.0.1:1'], 'g', 'A', { heartbeatMs: 10_000 }), /heartbeat\.interval\.ms=10000/);
  });
});
