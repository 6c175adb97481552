import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { uniqueName } from '../../test/contract/log-fixture.ts';
import { useKafka } from '../../test/services/share.ts';
import { eventually, itemNames, startGroupWorker } from './test/group-worker.ts';
import type { GroupWorker } from './test/group-worker.ts';

const config = (name: string) => ({ name, 'connector.class': 'None' });

async function configure(worker: GroupWorker, name: string, tasks: number): Promise<void> {
  await worker.configStore.claimWriting();
  await worker.configStore.putConnector(name, config(name));
  await worker.configStore.putTaskConfigs(name, new Array(tasks).fill(config(name)));
}

/** All is somewhere, nothing is in two places, and nobody has much more than another. */
async function sharedOut(workers: readonly GroupWorker[], items: readonly string[]): Promise<void> {
  const fair = (): boolean => {
    const tasks = workers.map((worker) => worker.now().tasks.length);
    const all = workers.flatMap((worker) => worker.items()).toSorted();
    return (
      workers.every(({ membership }) => membership.settled()) &&
      all.join() === items.join() &&
      Math.max(...tasks) - Math.min(...tasks) <= 1 &&
      new Set(workers.map((worker) => worker.now().generation)).size === 1
    );
  };
  await eventually(`${items.length} items on ${workers.length} workers`, fair, () =>
    workers.map((worker) => [worker.name, worker.membership.settled(), worker.items(), worker.logged.slice(-8)]),
  );
  assert.equal(workers.filter((worker) => worker.now().leader).length, 1);
}

const itemsOf = (connectors: Readonly<Record<string, number>>): string[] =>
  Object.entries(connectors)
    .flatMap(([name, tasks]) =>
      itemNames({ connectors: [name], tasks: Array.from({ length: tasks }, (_, task) => ({ connector: name, task })) }),
    )
    .toSorted();

describe('workers in a group on Kafka', () => {
  for (const protocol of ['sessioned', 'eager'] as const) {
    test(`${protocol}: they share the work as they come and go, and as it does`, async () => {
      const { brokers } = await useKafka();
      const start = (name: string) => startGroupWorker({ brokers, group, name, protocol, maxDelayMs: 5000 });
      const group = uniqueName('cluster');
      await using one = await start('one');
      await configure(one, 'a', 3);
      await configure(one, 'b', 2);
      await sharedOut([one], itemsOf({ a: 3, b: 2 }));
      const two = await start('two');
      await using three = await start('three');
      await sharedOut([one, two, three], itemsOf({ a: 3, b: 2 }));
      assert.equal(three.now().leaderUrl, 'http://one:8083/');
      assert.equal(
        one.membership.ownerUrl('a'),
        [one, two, three].map((each) => each.now().connectors.includes('a') && `http://${each.name}:8083/`).find(Boolean),
      );

      // By whoever: all read it, and all join again.
      await configure(one, 'c', 4);
      await sharedOut([one, two, three], itemsOf({ a: 3, b: 2, c: 4 }));
      await one.configStore.removeConnector('a');
      await sharedOut([one, two, three], itemsOf({ b: 2, c: 4 }));

      // Within the delay of a minute: its last words make it needless.
      await two.stop();
      await sharedOut([one, three], itemsOf({ b: 2, c: 4 }));
      assert.equal(
        one.assignments.some(({ unassigned }) => unassigned !== undefined && itemNames(unassigned).length > 0),
        false,
      );
    });
  }

  test('a group of both protocols is as the simplest of them, until that one is gone', async () => {
    const { brokers } = await useKafka();
    const group = uniqueName('cluster');
    await using one = await startGroupWorker({ brokers, group, name: 'one' });
    await configure(one, 'a', 2);
    const two = await startGroupWorker({ brokers, group, name: 'two', protocol: 'eager' });
    await sharedOut([one, two], itemsOf({ a: 2 }));
    assert.equal(one.membership.figures()['connect-protocol'], 'EAGER');
    await two.stop();
    await sharedOut([one], itemsOf({ a: 2 }));
    assert.equal(one.membership.figures()['connect-protocol'], 'SESSIONED');
  });
});
