/** One worker on Kafka: connectors and statuses in memory, source offsets in a file, as Connect's standalone has it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { useKafka } from '../services/share.ts';
import { readWithKafkajs } from './topic-records.ts';
import { linesOf, metric, eventually, startFileFlow, untilLines } from './worker-states.ts';
import type { FileFlow } from './worker-states.ts';

const text = {
  // A stop that is not over by then leaves the newest positions behind; on a busy machine it takes its time.
  'task.shutdown.graceful.timeout.ms': '60000',
  'offset.flush.interval.ms': '200',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
};
const creation = { 'topic.creation.default.partitions': '1', 'topic.creation.default.replication.factor': '1' };

describe('a standalone worker on Kafka', () => {
  let brokers: string[];
  before(async () => {
    ({ brokers } = await useKafka());
  });

  const uniqueName = (what: string): string => `${what}-${randomBytes(4).toString('hex')}`;

  async function valuesIn({ topic }: FileFlow): Promise<(string | null)[]> {
    const read = await readWithKafkajs(brokers, [topic]);
    return (read[topic] ?? []).map(({ value }) => value);
  }

  async function stopped(worker: MillraceServer): Promise<void> {
    await worker.stop();
    assert.equal(worker.ending(), 'exit code 0', worker.logTail());
  }

  it('goes on at the next record after a stop, by its offset file', async () => {
    await using worker = await startMillrace({ brokers, properties: text });
    const name = uniqueName('file');
    const flow = await startFileFlow(worker, name, creation);
    await flow.passes('one');
    await flow.passes('two');
    await stopped(worker);
    assert.ok(existsSync(join(worker.folder, 'connect.offsets')));

    await worker.restart();
    assert.deepEqual(await worker.request('GET', '/connectors'), []);
    const again = await startFileFlow(worker, name, creation);
    await again.passes('three');
    await stopped(worker);
    assert.deepEqual(await valuesIn(flow), ['one', 'two', 'three']);
    assert.deepEqual(linesOf(flow.target), ['one', 'two', 'three']);
  });

  it('stops under load with nothing lost and nothing repeated', async () => {
    await using worker = await startMillrace({ brokers, properties: text });
    const name = uniqueName('load');
    const flow = await startFileFlow(worker, name, creation);
    await flow.passes('first');
    let going = true;
    const written = ['first'];
    const writing = (async () => {
      for (let number = 0; going; number++) {
        const lines = Array.from({ length: 100 }, (_, n) => `line ${number * 100 + n}`);
        appendFileSync(join(worker.folder, `${name}-in.txt`), lines.map((line) => `${line}\n`).join(''));
        written.push(...lines);
        await sleep(20);
      }
    })();
    try {
      for (let round = 0; round < 3; round++) {
        const before = linesOf(flow.target).length;
        await untilLines(flow.target, (lines) => lines.length > before + 1000);
        await stopped(worker);
        await worker.restart();
        await startFileFlow(worker, name, creation);
      }
    } finally {
      going = false;
      await writing;
    }
    await untilLines(flow.target, (lines) => lines.length >= written.length);
    assert.equal(difference(linesOf(flow.target), written), undefined);
    assert.equal(difference(await valuesIn(flow), written), undefined);
  });

  it('shares the partitions among the tasks of a sink, and stores resets of offsets', async () => {
    await using worker = await startMillrace({ brokers, properties: text });
    const name = uniqueName('shared');
    const flow = await startFileFlow(worker, name, { ...creation, 'topic.creation.default.partitions': '4', 'tasks.max': '2' });
    await flow.passes('first');
    await eventually('two for each', async () => {
      const counts = await Promise.all([0, 1].map((task) => metric(worker, 'sink_task_metrics_partition_count', `${name}-sink`, task)));
      return counts.every((count) => count === 2);
    });
    await Promise.all(Array.from({ length: 20 }, (_, n) => flow.passes(`with two ${n}`)));

    await worker.request('PUT', `/connectors/${name}-source/stop`);
    await worker.request('DELETE', `/connectors/${name}-source/offsets`);
    await worker.request('PUT', `/connectors/${name}-source/resume`);
    await untilLines(flow.target, (lines) => lines.length === 2 * flow.written.length);
    assert.deepEqual(linesOf(flow.target).toSorted(), [...flow.written, ...flow.written].toSorted());
  });
});

/** Where they part. An assertion on as many lines would draw up their difference for hours, in all the memory there is. */
function difference(lines: readonly (string | null)[], expected: readonly string[]): string | undefined {
  const at = expected.findIndex((line, index) => line !== lines[index]);
  if (at < 0 && lines.length === expected.length) return undefined;
  const place = at < 0 ? expected.length : at;
  const around = (all: readonly (string | null)[]): string => all.slice(Math.max(0, place - 2), place + 3).join(', ');
  return `${lines.length} lines for ${expected.length}; at ${place}: ${around(lines)}; expected ${around(expected)}`;
}
