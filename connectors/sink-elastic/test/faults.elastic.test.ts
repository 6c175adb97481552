import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SinkRecord } from '@millrace/runtime/api';

import { mayPass } from '../../../runtime/ports/passing-errors.ts';
import { useElasticsearch } from '../../../test/services/share.ts';
import { documentsOf, freshName } from './elastic-index.ts';
import { everySecond, seededRandom, startFaultProxy } from './fault-proxy.ts';
import { record, startTask } from './task-fixture.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

const patient = {
  'schema.ignore': 'true',
  'batch.size': '50',
  'max.retries': '40',
  'retry.backoff.ms': '5',
  'read.timeout.ms': '1000',
};

describe(`a way to Elasticsearch that goes wrong (SEED=${seed})`, { concurrency: false }, () => {
  it('brings each record once, the newest of each key', async () => {
    const { url } = await useElasticsearch();
    const random = seededRandom(seed);
    await using proxy = await startFaultProxy(url, { fault: everySecond(random, 2), random });
    const topic = freshName();
    await using task = await startTask({ ...patient, 'connection.url': proxy.url, topics: topic, 'behavior.on.null.values': 'delete' });
    const expected = new Map<string, number>();
    const records: SinkRecord[] = [];
    for (let offset = 0; offset < 6_000; offset++) {
      const key = `k${Math.floor(random() * 900)}`;
      const isDelete = random() < 0.1;
      records.push(record(offset, { topic, key, value: isDelete ? null : { n: offset } }));
      if (isDelete) expected.delete(key);
      else expected.set(key, offset);
    }
    await task.write(records);
    const found = await documentsOf(url, topic);
    deepEqual(new Map([...found].map(([id, { _source }]) => [id, _source['n']])), expected);
    for (const { _version, _source } of found.values()) equal(_version, _source['n']);
    ok(proxy.happened.size >= 8, `all faults happened: ${[...proxy.happened.keys()].join()}`);
    deepEqual(task.reported, []);
    equal(task.figures['hidden-records-total'] ?? 0, 0, task.lines.join('\n'));
  });

  it('doubles nothing of what has ids of topic, partition and offset', async () => {
    const { url } = await useElasticsearch();
    const random = seededRandom(seed + 1);
    await using proxy = await startFaultProxy(url, { fault: everySecond(random, 1), random });
    const topic = freshName();
    await using task = await startTask({ ...patient, 'connection.url': proxy.url, topics: topic, 'key.ignore': 'true' });
    await task.write(Array.from({ length: 2_000 }, (_, offset) => record(offset, { topic, key: null })));
    const found = await documentsOf(url, topic);
    equal(found.size, 2_000);
    equal(found.get(`${topic}+0+1999`)?._source['n'], 1_999);
  });

  it('keeps the order of upserts', async () => {
    const { url } = await useElasticsearch();
    const random = seededRandom(seed + 2);
    // A request that is given up while the server still works on it is beyond what upserts can survive in order: so none is.
    await using proxy = await startFaultProxy(url, { fault: everySecond(random, 0), random });
    const topic = freshName();
    const raw = { ...patient, 'connection.url': proxy.url, topics: topic, 'write.method': 'UPSERT', 'read.timeout.ms': '120000' };
    await using task = await startTask(raw);
    const expected = new Map<string, Record<string, number>>();
    const records = Array.from({ length: 2_000 }, (_, offset) => {
      const key = `k${Math.floor(random() * 40)}`;
      const field = `f${Math.floor(random() * 5)}`;
      expected.set(key, { ...expected.get(key), [field]: offset });
      return record(offset, { topic, key, value: { [field]: offset } });
    });
    await task.write(records);
    const found = await documentsOf(url, topic);
    deepEqual(new Map([...found].map(([id, { _source }]) => [id, _source])), expected);
  });

  it('commits nothing that is not acknowledged, and fails when it is told to give up', async () => {
    const { url } = await useElasticsearch();
    let requests = 0;
    // Two requests in turn, so that what comes after the first one is known to wait.
    await using proxy = await startFaultProxy(url, { fault: () => (requests++ === 0 ? 'pass' : 503) });
    const topic = freshName();
    const raw = {
      ...patient,
      'connection.url': proxy.url,
      topics: topic,
      'max.in.flight.requests': '1',
      // Nothing goes before it is whole, however slow the machine.
      'linger.ms': '100000',
      'max.retries': '3',
      'retry.backoff.ms': '300',
    };
    await using task = await startTask(raw);
    // Offsets go by the topic that was read, whatever a transform called it.
    const records = Array.from({ length: 100 }, (_, offset) => record(offset, { topic: `${topic}-renamed`, originalTopic: topic }));
    await task.put(records.slice(0, 50));
    deepEqual(await task.preCommit?.([{ topic, partition: 0, offset: 50n }]), [{ topic, partition: 0, offset: 50n }]);
    await task.put(records.slice(50));
    const committed = await task.preCommit?.([{ topic, partition: 0, offset: 100n }]).catch(() => [{ topic, partition: 0, offset: 50n }]);
    deepEqual(committed, [{ topic, partition: 0, offset: 50n }]);
    const failure = await task.failed;
    match(failure.message, /took no 50 records after 3 retries: status 503.*max\.retries/);
    ok(mayPass(failure), 'a restart may find Elasticsearch well again');
    await rejects(task.put([record(100, { topic })]), { message: failure.message });
    await rejects(async () => task.preCommit?.([{ topic, partition: 0, offset: 100n }]), { message: failure.message });
  });

  it('takes no more than its buffer holds, and tells so without failing', async () => {
    const { url } = await useElasticsearch();
    let open = false;
    await using proxy = await startFaultProxy(url, { fault: () => (open ? 'pass' : 503) });
    const topic = freshName();
    const raw = {
      ...patient,
      'connection.url': proxy.url,
      topics: topic,
      'max.buffered.records': '250',
      'max.retries': '10000',
      'retry.backoff.ms': '20',
    };
    await using task = await startTask(raw);
    const records = Array.from({ length: 500 }, (_, offset) => record(offset, { topic }));
    await rejects(task.put(records), { name: 'RetriableError', message: /the buffer is full \(250 records\)/ });
    open = true;
    await task.write(records);
    equal((await documentsOf(url, topic)).size, 500);
    equal(task.figures['replayed-records-total'] ?? 0, 0, 'what was taken the first time was not taken again');
  });

  it('commits with flush.synchronously what is written, and does not wait for it when it is to stop', async () => {
    const { url } = await useElasticsearch();
    let open = true;
    await using proxy = await startFaultProxy(url, { fault: () => (open ? { delayMs: 200 } : 503) });
    const topic = freshName();
    const raw = { ...patient, 'connection.url': proxy.url, topics: topic, 'flush.synchronously': 'true', 'max.retries': '10000' };
    await using task = await startTask(raw);
    const records = Array.from({ length: 20 }, (_, offset) => record(offset, { topic }));
    await task.put(records.slice(0, 10));
    deepEqual(await task.preCommit?.([{ topic, partition: 0, offset: 10n }]), [{ topic, partition: 0, offset: 10n }]);
    equal((await documentsOf(url, topic)).size, 10);
    open = false;
    await task.put(records.slice(10));
    const committed = task.preCommit?.([{ topic, partition: 0, offset: 20n }]);
    task.stop.abort();
    deepEqual(await committed, [{ topic, partition: 0, offset: 10n }]);
  });

  it('goes to the next node when one is dead', async () => {
    const { url } = await useElasticsearch();
    const topic = freshName();
    await using task = await startTask({ ...patient, 'connection.url': `http://127.0.0.1:1,${url}`, topics: topic });
    await task.write(Array.from({ length: 300 }, (_, offset) => record(offset, { topic })));
    equal((await documentsOf(url, topic)).size, 300);
  });
});
