/** The task: takes records into lanes, and tells which offsets are safe. Source: ElasticsearchSinkTask. */
import { ConnectError, DataError, RetriableError } from '@millrace/runtime/api';
import type { PartitionOffset, SinkRecord, SinkTask, SinkTaskContext } from '@millrace/runtime/api';

import { badRecords } from './bad-records.ts';
import { bulkPost } from './bulk-post.ts';
import type { ElasticClient } from './client.ts';
import type { Config } from './config.ts';
import { conflictWatch } from './conflict-watch.ts';
import { delivery } from './delivery.ts';
import type { Exception } from './delivery.ts';
import { NoObjectError, documentWriter } from './document.ts';
import { createFigures } from './figures.ts';
import { bulkLanes } from './lanes.ts';
import { operationOf, operationWriter } from './operation.ts';
import type { Operation, Target } from './operation.ts';
import { Outstanding } from './outstanding.ts';
import { readTopicOf } from './read-topic.ts';
import { retriedRequests } from './requests.ts';
import { resourceNames } from './resource-names.ts';
import { createResources } from './resources.ts';
import { readSettings } from './settings.ts';

/** How long `put` waits for room before it lets the worker do other things and try again. */
const roomMs = 5_000;
/** How long a commit waits for what is under way. What is not done by then is committed next time. */
const drainMs = 2_000;
const judgeEveryMs = 10_000;

export function elasticTask(values: Config, context: SinkTaskContext, client: ElasticClient): SinkTask {
  const settings = readSettings(values, context.rawConfig);
  const { log } = context;
  const ended = new AbortController();
  const figures = createFigures(context);
  const bad = badRecords(settings, context);
  const inFlight = values['max.in.flight.requests'];
  const bulkBytes = values['bulk.size.bytes'] < 0 ? Infinity : values['bulk.size.bytes'];
  const flushTimeoutMs = values['flush.timeout.ms'];
  const retries = { maxRetries: values['max.retries'], backoffMs: values['retry.backoff.ms'] };
  // Without a limit for a request, its memory is limited all the same.
  const outstanding = new Outstanding({
    records: values['max.buffered.records'],
    bytes: 2 * inFlight * (bulkBytes === Infinity ? 5 * 1024 * 1024 : Math.max(bulkBytes, 64 * 1024)),
  });
  const closed = new Set<string>();
  let failure: Error | undefined;
  /** Of a `put` that could not take all: it comes again with the same records. */
  let taken = new Set<SinkRecord>();
  let fullSinceMs: number | undefined;

  const resources = createResources({
    requests: retriedRequests(client, retries, AbortSignal.any([context.signal, ended.signal])),
    settings,
    log,
    nameOf: resourceNames(values, settings.dataStream, settings.external),
    topicIdOf: (topic) => (context.assignment().some((each) => each.topic === topic) ? context.topicId(topic) : ''),
  });
  const conflicts = conflictWatch({
    log,
    count: (what, records) => figures.add(`${what}-records-total`, records),
    settledUpTo: (partition) => outstanding.safeOffset(partition),
    now: () => performance.now(),
  });
  const lanes = bulkLanes({
    count: inFlight,
    limits: { records: values['batch.size'], bytes: bulkBytes },
    lingerMs: values['linger.ms'],
    write: operationWriter(documentWriter(settings), inFlight),
    deliver: delivery({
      ...retries,
      post: bulkPost(client),
      log,
      signal: ended.signal,
      exception,
      abandoned: ({ record }) => closed.size > 0 && closed.has(`${record.partition} ${readTopicOf(record)}`),
      settled,
      count: (what, by) => figures.add(`${what}-total`, by),
    }),
    failed,
  });
  const judging = setInterval(() => conflicts.judge(), judgeEveryMs).unref();

  function settled({ record, bytes }: Operation): void {
    outstanding.settled(record, bytes);
    figures.add('documents-settled-total', 1);
  }

  async function exception(operation: Operation, it: Exception): Promise<void> {
    const { record, target } = operation;
    if (it.kind === 'conflict') {
      // With a header, older versions that come late are what it is for; but a person waits for a resubmitted one.
      if (settings.versionHeader !== '' && record.resubmitted === undefined) figures.add('replayed-records-total', 1);
      else if (conflicts.conflict(operation, it.current, it.again)) {
        await context.overtaken(record, `document "${operation.id}" of "${target.resource}" has the later version ${it.current}.`);
      }
      return;
    }
    figures.add('malformed-documents-total', 1);
    await bad.malformed(record, new DataError(`Elasticsearch takes no such document into "${target.resource}": ${it.reason}`));
  }

  function failed(error: unknown): void {
    if (ended.signal.aborted || failure !== undefined) return;
    failure = error instanceof Error ? error : new ConnectError(String(error));
    outstanding.wake();
    context.fail(failure);
  }

  function throwIfFailed(): void {
    if (failure !== undefined) throw failure;
  }

  async function takeInvalid(record: SinkRecord, error: unknown): Promise<void> {
    if (!(error instanceof DataError)) throw error;
    if (error instanceof NoObjectError) {
      figures.add('malformed-documents-total', 1);
      return bad.malformed(record, error);
    }
    figures.add('invalid-records-total', 1);
    await bad.invalid(record, error);
  }

  /** A promise where something has to be waited for. */
  function take(record: SinkRecord): void | Promise<void> {
    try {
      const target = resources.targetOf(record);
      if (target instanceof Promise)
        return target.then((ready) => enter(record, ready)).catch((error: unknown) => takeInvalid(record, error));
      enter(record, target);
    } catch (error) {
      return takeInvalid(record, error);
    }
  }

  function enter(record: SinkRecord, target: Target): void {
    const operation = operationOf(record, target, settings);
    if (operation === null) return;
    outstanding.taken(record);
    try {
      lanes.add(operation);
    } catch (error) {
      outstanding.settled(record, 0);
      throw error;
    }
    outstanding.grown(operation.bytes);
  }

  async function room(): Promise<void> {
    fullSinceMs ??= performance.now();
    const before = figures.get('documents-settled-total');
    const found = await outstanding.until(() => outstanding.hasRoom || failure !== undefined, roomMs, context.signal);
    throwIfFailed();
    context.signal.throwIfAborted();
    if (found || figures.get('documents-settled-total') > before) fullSinceMs = undefined;
    if (found) return;
    if (fullSinceMs !== undefined && performance.now() - fullSinceMs > flushTimeoutMs) {
      throw new ConnectError(`Elasticsearch took nothing for ${flushTimeoutMs} ms (flush.timeout.ms), and the buffer is full.`, {
        cause: new RetriableError('Elasticsearch is too slow, or away'),
        hint: 'See to Elasticsearch, and restart the task; to wait longer for it, raise flush.timeout.ms.',
      });
    }
    throw new RetriableError(`the buffer is full (${outstanding.count} records), and Elasticsearch has not taken any for ${roomMs} ms.`);
  }

  return {
    async open(partitions) {
      for (const { topic, partition } of partitions) closed.delete(`${partition} ${topic}`);
      resources.refresh();
    },
    async put(records) {
      throwIfFailed();
      resources.refresh();
      for (let i = 0; i < records.length; i++) {
        const record = records[i] as SinkRecord;
        if (taken.size > 0 && taken.has(record)) continue;
        try {
          if (!outstanding.hasRoom) await room();
          const waiting = take(record);
          if (waiting !== undefined) await waiting;
        } catch (error) {
          if (error instanceof RetriableError) taken = new Set(records.slice(0, i));
          throw error;
        }
      }
      if (taken.size > 0) taken = new Set();
    },
    async preCommit(offsets) {
      throwIfFailed();
      lanes.flush();
      const isOver = (): boolean => outstanding.count === 0 || failure !== undefined;
      // A task that is to stop waits no longer than any other.
      const { signal } = context;
      const whole = settings.flushSynchronously && !signal.aborted;
      const drained = await (whole ? outstanding.until(isOver, flushTimeoutMs, signal) : outstanding.until(isOver, drainMs));
      throwIfFailed();
      conflicts.judge();
      if (drained) return offsets;
      if (!whole || signal.aborted) return safeOffsets(offsets);
      throw new ConnectError(`records were not written within flush.timeout.ms (${flushTimeoutMs} ms).`, {
        cause: new RetriableError('Elasticsearch is too slow, or away'),
      });
    },
    async close(partitions) {
      if (outstanding.holds(partitions)) await outstanding.until(() => !outstanding.holds(partitions) || failure !== undefined, drainMs);
      for (const { topic, partition } of partitions) closed.add(`${partition} ${topic}`);
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      clearInterval(judging);
      lanes.stop();
      await client[Symbol.asyncDispose]();
    },
  };

  function safeOffsets(offsets: readonly PartitionOffset[]): PartitionOffset[] {
    return offsets.map((entry) => ({ ...entry, offset: outstanding.safeOffset(entry, entry.offset) }));
  }
}
