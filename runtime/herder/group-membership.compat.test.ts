/** A worker of ours and one of the real Kafka Connect in one group, each leading once. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startConnect } from '../../test/services/connect.ts';
import type { ConnectServer } from '../../test/services/connect.ts';
import { useKafka } from '../../test/services/share.ts';
import { eventually, itemNames, startGroupWorker } from './test/group-worker.ts';
import type { GroupWorker } from './test/group-worker.ts';

const delayMs = 8000;
const connectors = ['a', 'b', 'c', 'd'];
const items = itemNames({ connectors, tasks: connectors.map((connector) => ({ connector, task: 0 })) });

interface Status {
  readonly connector: { readonly state: string; readonly worker_id: string };
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly worker_id: string }[];
}

describe('a group with the real Kafka Connect', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'group-compat-'));
    for (const name of connectors) await writeFile(join(folder, name), 'line\n');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const configOf = (name: string) => ({
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    file: join(folder, name),
    topic: `group-compat-${process.pid}`,
  });

  async function put(jvm: ConnectServer, name: string): Promise<boolean> {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${jvm.url}/connectors/${name}/config`, { method: 'PUT', headers, body: JSON.stringify(configOf(name)) })).ok;
  }

  /** As the JVM's REST shows it: what runs, by worker; an item that does not is left out. */
  async function running(jvm: ConnectServer): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    const note = (item: string, { state, worker_id: worker }: Status['connector']): void => {
      if (state === 'RUNNING') (found[worker] ??= []).push(item);
    };
    for (const name of connectors) {
      const answer = await fetch(`${jvm.url}/connectors/${name}/status`).catch(() => undefined);
      if (answer?.ok !== true) continue;
      const status = (await answer.json()) as Status;
      note(name, status.connector);
      for (const task of status.tasks) note(`${name}-${task.id}`, task);
    }
    for (const list of Object.values(found)) list.sort();
    return found;
  }

  /** Everything once between both, half on each; the JVM says that it runs its share, and knows what ours runs. */
  async function sharedOut(ours: GroupWorker, jvm: ConnectServer): Promise<void> {
    let found: Record<string, string[]> = {};
    const fair = async (): Promise<boolean> => {
      found = await running(jvm);
      const theirs = found[`127.0.0.1:${jvm.port}`] ?? [];
      const both = [...theirs, ...ours.items()].toSorted();
      const knowsOurs = found['ours:8083']?.join() === ours.items().join();
      return ours.membership.settled() && both.join() === items.join() && theirs.length === items.length / 2 && knowsOurs;
    };
    await eventually('all of it, half on each', fair, () => ({
      jvm: found,
      ours: ours.items(),
      log: ours.logged.slice(-12),
      tail: jvm.logTail(5),
    }));
  }

  const allOurs = (ours: GroupWorker): Promise<void> =>
    eventually(
      'all of it on ours',
      () => ours.membership.settled() && ours.items().join() === items.join(),
      () => [ours.items(), ours.logged.slice(-12)],
    );
  const waited = (assignments: GroupWorker['assignments']): boolean =>
    assignments.some(({ unassigned }) => unassigned !== undefined && itemNames(unassigned).length > 0);

  test('ours follows, then leads; work goes there and back', { timeout: 600_000 }, async () => {
    const { brokers } = await useKafka();
    const group = `mixed-${process.pid}`;
    const properties = {
      'scheduled.rebalance.max.delay.ms': `${delayMs}`,
      'session.timeout.ms': '6000',
      'heartbeat.interval.ms': '1000',
      'offset.flush.interval.ms': '1000',
    };
    await using jvm = await startConnect({ brokers, group, properties, heap: ['-Xmx512M'] });
    for (const name of connectors)
      await eventually(
        `connector ${name}`,
        () => put(jvm, name),
        () => jvm.logTail(5),
      );
    await eventually(
      'the JVM runs them',
      async () => (await running(jvm))[`127.0.0.1:${jvm.port}`]?.length === items.length,
      () => running(jvm),
    );

    await using ours = await startGroupWorker({ brokers, group, name: 'ours', maxDelayMs: delayMs });
    await eventually(
      'ours has a share',
      () => ours.items().length > 0,
      () => [ours.logged, jvm.logTail(5)],
    );
    assert.deepEqual([ours.now().leader, ours.now().leaderUrl], [false, `http://127.0.0.1:${jvm.port}/`]);
    await sharedOut(ours, jvm);

    await jvm.stop();
    await allOurs(ours);
    assert.equal(ours.now().leader, true);

    await jvm.restart();
    await sharedOut(ours, jvm);
    assert.equal(ours.now().leader, true);

    // It says good-bye: nobody waits for it.
    let from = ours.assignments.length;
    await jvm.stop();
    await allOurs(ours);
    assert.equal(waited(ours.assignments.slice(from)), false, ours.logged.slice(-12).join('\n'));

    await jvm.restart();
    await sharedOut(ours, jvm);
    from = ours.assignments.length;
    await jvm.kill();
    await eventually(
      'its work waits',
      () => waited(ours.assignments.slice(from)),
      () => ours.logged.slice(-12),
    );
    assert.equal(ours.items().length, items.length / 2);
    await allOurs(ours);
    assert.deepEqual(
      ours.logged.filter((line) => line.includes('out of it')),
      [],
    );
  });
});
