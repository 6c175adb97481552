import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeShared,
  decodeWorkerState,
  encodeShared,
  encodeWorkerState,
  protocolNameOf,
  protocolsFor,
  protocolVersionOf,
} from './group-protocol.ts';
import type { SharedAssignment, WorkerState } from './group-protocol.ts';

// Recorded from Kafka Connect 4.1.1, one worker.
const url = 'http://127.0.0.1:8083/';
const leader = 'connect-127.0.0.1:8083-c7eaefd0-99db-45bb-885b-cb47702bfaad';
const firstJoinHex = '00020016687474703a2f2f3132372e302e302e313a383038332fffffffffffffffffffffffff';
const metadataHex =
  '00020016687474703a2f2f3132372e302e302e313a383038332f000000000000002c0000009300020000003b636f6e6e6563742d3132372e302e302e31' +
  '3a383038332d63376561656664302d393964622d343562622d383835622d6362343737303262666161640016687474703a2f2f3132372e302e302e313a' +
  '383038332f000000000000002c00000002000672612d73726300000002ffffffff00000000000464627a3100000002ffffffff00000000000000000000' +
  '0000';
const assignmentHex =
  '00020000003b636f6e6e6563742d3132372e302e302e313a383038332d63376561656664302d393964622d343562622d383835622d6362343737303262' +
  '666161640016687474703a2f2f3132372e302e302e313a383038332f000000000000002c0000000000000001000772612d7372633200000002ffffffff' +
  '0000000000000000';

const none = { connectors: [], tasks: [], revokedConnectors: [], revokedTasks: [] };
const told = { version: 2, error: 0, leader, leaderUrl: url, configOffset: 44, delayMs: 0 } as const;
const firstJoin: WorkerState = { url, configOffset: -1, work: null };
const running: WorkerState = {
  url,
  configOffset: 44,
  work: {
    ...{ ...told, ...none, connectors: ['ra-src', 'dbz1'] },
    tasks: [
      { connector: 'ra-src', task: 0 },
      { connector: 'dbz1', task: 0 },
    ],
  },
};
const revoking: SharedAssignment = { ...told, ...none, revokedConnectors: ['ra-src2'], revokedTasks: [{ connector: 'ra-src2', task: 0 }] };

const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex');

test('the state of a worker, as Connect writes it', () => {
  for (const [state, hex] of [
    [firstJoin, firstJoinHex],
    [running, metadataHex],
  ] as const) {
    assert.equal(encodeWorkerState(2, state).toString('hex'), hex);
    assert.deepEqual(decodeWorkerState(bytesOf(hex)), state);
  }
});

test('an assignment, as Connect writes it', () => {
  assert.equal(encodeShared(2, revoking).toString('hex'), assignmentHex);
  assert.deepEqual(decodeShared(bytesOf(assignmentHex)), revoking);
});

test('version 1 differs from version 2 in its number alone, in both places', () => {
  const hex = `0001${metadataHex.slice(4)}`.replace('000000930002', '000000930001');
  assert.equal(encodeWorkerState(1, running).toString('hex'), hex);
  assert.deepEqual(decodeWorkerState(bytesOf(hex)), { ...running, work: { ...running.work, version: 1 } });
});

test('version 0 knows neither current work nor revocations nor delays', () => {
  assert.equal(encodeWorkerState(0, running).toString('hex'), `0000${metadataHex.slice(4, 68)}`);
  assert.deepEqual(decodeWorkerState(encodeWorkerState(0, running)), { ...running, work: null });
  const work = { connectors: ['a'], tasks: [{ connector: 'b', task: 3 }] };
  assert.deepEqual(decodeShared(encodeShared(0, { ...revoking, ...work, delayMs: 9 })), { ...told, ...none, ...work, version: 0 });
});

test('revocations, a delay, an error and odd names survive the round trip', () => {
  const tasks = [
    { connector: 'über-1', task: 2 },
    { connector: 'ünknown', task: 2_147_483_647 },
  ];
  const full: SharedAssignment = {
    ...{ version: 1, error: 1, leader: '', leaderUrl: url, configOffset: Number.MAX_SAFE_INTEGER, delayMs: 300_000 },
    ...{ connectors: ['über-1', 'x'], tasks, revokedConnectors: ['ünknown'], revokedTasks: tasks.toReversed() },
  };
  assert.deepEqual(decodeShared(encodeShared(1, full)), full);
});

test('tasks of one connector stand together, after the connector itself', () => {
  const tasks = [
    { connector: 'b', task: 1 },
    { connector: 'a', task: 0 },
    { connector: 'b', task: 0 },
  ];
  const bytes = encodeShared(2, { ...told, ...none, connectors: ['a', 'a'], tasks });
  const expected = '00000002' + '000161' + '00000002ffffffff00000000' + '000162' + '000000020000000100000000' + '0000000000000000';
  assert.ok(bytes.toString('hex').endsWith(expected));
});

test('fields that an older version does not write are taken as empty', () => {
  const empty = encodeShared(2, { ...told, ...none });
  for (const missing of [4, 8, 12]) assert.deepEqual(decodeShared(empty.subarray(0, -missing)), { ...told, ...none });
  const nulls = Buffer.concat([empty.subarray(0, -12), bytesOf('ffffffffffffffff00000000')]);
  assert.deepEqual(decodeShared(nulls), { ...told, ...none });
  assert.deepEqual(decodeWorkerState(bytesOf(firstJoinHex).subarray(0, -4)), firstJoin);
});

test('a later version, an unknown error and bytes at the end are read as Connect reads them', () => {
  const later = bytesOf(`0007${assignmentHex.slice(4, 4)}0009${assignmentHex.slice(8)}cafe`);
  assert.deepEqual(decodeShared(later), { ...revoking, version: 7, error: 1 });
});

test('bytes that are cut short name the field', () => {
  const cut = (size: number) => () => decodeShared(bytesOf(assignmentHex).subarray(0, size));
  assert.throws(cut(0), { name: 'ConnectError', message: /an assignment cannot be read: version at byte 0 of 0: 2 bytes needed, 0 left/ });
  assert.throws(cut(20), /leader at byte 6 of 20: 59 bytes needed, 14 left/);
  assert.throws(cut(80), /leaderUrl at byte 67 of 80/);
  assert.throws(cut(93), /configOffset/);
  assert.throws(cut(99), /assigned at byte 97 of 99/);
  assert.throws(cut(105), /revoked at byte 105 of 105: a count of 1/);
  assert.throws(cut(129), /delay at byte 126 of 129: 4 bytes needed, 3 left/);
  assert.throws(() => decodeWorkerState(bytesOf(metadataHex).subarray(0, 90)), /the state of a worker cannot be read: work/);
});

test('bytes that mean nothing are refused', () => {
  const withTail = (tail: string) => () => decodeShared(bytesOf(`00020000000161000162000000000000002c${tail}`));
  assert.throws(() => decodeShared(bytesOf('ffff')), /version .*-1, which no version of Connect writes/);
  assert.throws(() => decodeShared(bytesOf('00020000ffff')), /leader .* a length of -1/);
  assert.throws(() => decodeShared(bytesOf('000200000001ff')), /leader .* not UTF-8/);
  assert.throws(() => decodeWorkerState(bytesOf('00020001617fffffffffffffff')), /configOffset .*9223372036854775807 is beyond/);
  assert.throws(() => decodeWorkerState(bytesOf('0002000161000000000000002cfffffff0')), /work .* a length of -16/);
  assert.throws(withTail('fffffffe'), /assigned .* a count of -2/);
  assert.throws(withTail('7fffffff'), /assigned .* a count of 2147483647/);
  assert.throws(withTail('00000001000163ffffffff'), /assigned tasks of c .* null/);
  assert.throws(withTail('0000000100016300000001fffffffe'), /assigned task of c .* the number -2/);
});

test('what does not fit is not written', () => {
  assert.throws(() => encodeWorkerState(2, { ...firstJoin, url: 'x'.repeat(32_768) }), /url cannot be written: 32768 bytes/);
  assert.throws(() => encodeWorkerState(2, { ...firstJoin, configOffset: 2 ** 53 }), /configOffset cannot be written/);
});

test('protocols are offered in the order that Connect offers them', () => {
  const names = (mode: Parameters<typeof protocolsFor>[0]) => protocolsFor(mode).map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(names('sessioned'), ['sessioned 2', 'compatible 1', 'default 0']);
  assert.deepEqual(names('compatible'), ['compatible 1', 'default 0']);
  assert.deepEqual(names('eager'), ['default 0']);
  for (const version of [0, 1, 2] as const) assert.equal(protocolVersionOf(protocolNameOf(version)), version);
  assert.throws(() => protocolVersionOf('range'), /"range" was elected, which is none of default, compatible, sessioned/);
});
