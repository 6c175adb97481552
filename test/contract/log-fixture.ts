/** What the log contract's tests share: they write records as plain text and read them back as such. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { PartitionOffset, TopicPartition } from '../../runtime/api/index.ts';
import { BatchWriter, encodeHeaders } from '../../runtime/batch/batch-writer.ts';
import { readRecords } from '../../runtime/batch/record-reader.ts';
import type { FetchedRun, Log, LogReader, OutboundBatch } from '../../runtime/ports/log.ts';

export interface OpenedLog extends AsyncDisposable {
  readonly log: Log;
}

/** Each test opens its own; topics and groups have names of their own, so the log behind it may be shared. */
export type OpenLog = () => Promise<OpenedLog>;

export interface LogCapabilities {
  /** An append call is stored whole or not at all. */
  readonly atomicAppend: boolean;
  /** Appending to a topic that does not exist makes it. */
  readonly autoCreateTopics: boolean;
  /** There are transactional producers. */
  readonly transactions: boolean;
}

export interface TextRecord {
  readonly key?: string | null;
  readonly value?: string | null;
  readonly timestamp?: number;
  readonly headers?: Readonly<Record<string, string | null>>;
}

export interface ReadTextRecord {
  readonly offset: bigint;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string | null>>;
}

export function uniqueName(what: string): string {
  return `${what}-${randomUUID().slice(0, 8)}`;
}

/** A batch of one partition. A record given as a string is a value without a key. */
export function batchOf(topic: string, partition: number, records: readonly (TextRecord | string)[]): OutboundBatch {
  const writer = new BatchWriter(new ArrayBuffer(1024));
  for (const each of records) {
    const record = typeof each === 'string' ? { value: each } : each;
    writer.beginRecord(record.timestamp ?? Date.now());
    writer.beginKey();
    if (record.key != null) writer.out.text(record.key);
    writer.endKey(record.key != null);
    writer.beginValue();
    if (record.value != null) writer.out.text(record.value);
    writer.endValue(record.value != null);
    const headers = Object.entries(record.headers ?? {});
    writer.endRecord(encodeHeaders(headers.map(([key, value]) => ({ key, value: value === null ? null : Buffer.from(value) }))));
  }
  return { topic, partition, ...writer.finish() };
}

export function recordsOf(runs: readonly FetchedRun[]): ReadTextRecord[] {
  return runs.flatMap((run) =>
    [...readRecords(Buffer.from(run.buffer), run.length, run.position)].map((record) => ({
      offset: record.offset,
      timestamp: record.timestamp,
      key: record.key?.toString() ?? null,
      value: record.value?.toString() ?? null,
      headers: Object.fromEntries(record.headers.map(({ key, value }) => [key, value?.toString() ?? null])),
    })),
  );
}

export function valuesOf(runs: readonly FetchedRun[]): (string | null)[] {
  return recordsOf(runs).map((record) => record.value);
}

export function at(topic: string, partition: number, offset: bigint | number): PartitionOffset {
  return { topic, partition, offset: BigInt(offset) };
}

/** Fetches until that many records came. */
export async function fetchRecords(reader: LogReader, count: number, maxBytes = 1 << 20): Promise<ReadTextRecord[]> {
  const records: ReadTextRecord[] = [];
  const signal = AbortSignal.timeout(30_000);
  while (records.length < count) records.push(...recordsOf(await reader.fetch({ maxWaitMs: 1000, maxBytes }, signal)));
  assert.equal(records.length, count, 'no more records than were written');
  return records;
}

/** Everything in a partition that exists now; with `read_committed` it waits for transactions that are open. */
export async function readPartition(
  log: Log,
  topic: string,
  partition: number,
  isolation: 'read_committed' | 'read_uncommitted' = 'read_uncommitted',
): Promise<ReadTextRecord[]> {
  await using reader = await log.openReader({ clientId: 'contract-reader', isolation });
  const [end] = await log.offsetsAt([{ topic, partition }], 'latest');
  const [start] = await log.offsetsAt([{ topic, partition }], 'earliest');
  assert.ok(start !== undefined && end !== undefined);
  reader.assign([start]);
  const records: ReadTextRecord[] = [];
  let position = start.offset;
  const signal = AbortSignal.timeout(30_000);
  while (position < end.offset) {
    for (const run of await reader.fetch({ maxWaitMs: 1000, maxBytes: 1 << 20 }, signal)) {
      records.push(...recordsOf([run]));
      position = run.nextPosition;
    }
  }
  return records;
}

export async function createTopic(log: Log, partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = uniqueName('contract');
  assert.deepEqual(await log.createTopics([{ name, partitions, config }]), [name]);
  return name;
}

/** Appends one record for each value, a batch for each. */
export async function appendValues(log: Log, topic: string, partition: number, values: readonly string[]): Promise<void> {
  await using producer = await log.openProducer({ clientId: 'contract-producer' });
  await producer.append(values.map((value) => batchOf(topic, partition, [value])));
}

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `gave up waiting: ${what}`);
    await sleep(10);
  }
}

export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
