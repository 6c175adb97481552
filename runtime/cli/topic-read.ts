/** `millrace topic read`. */
import { ConfigError } from '../api/index.ts';
import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import { readRecords } from '../batch/record-reader.ts';
import type { FetchedRun, Log } from '../ports/log.ts';
import type { Output } from './output.ts';
import { recordLine } from './record-text.ts';
import type { RecordFormat } from './record-text.ts';
import { partitionsOf, topicOf } from './topic-list.ts';

export interface ReadOptions {
  readonly follow: boolean;
  /** A negative offset counts from the end of each partition. */
  readonly from: 'beginning' | 'end' | bigint;
  /** All of them when left out. */
  readonly partitions?: readonly number[];
  readonly max?: number;
  readonly format: RecordFormat;
  readonly isolation: 'read_committed' | 'read_uncommitted';
}

const fetchLimits = { maxWaitMs: 500, maxBytes: 4 << 20 };

/** Nothing came this many times though the end was not reached: an open transaction stands in the way. */
const patience = 6;

/**
 * Writes records until the ends that the partitions had at the beginning, or on and on; until `max` of them, the
 * signal, or a reader that has gone. Returns how many. Throws a ConfigError for a topic or partition that is not there.
 */
export async function readTopic(log: Log, name: string, output: Output, options: ReadOptions, signal: AbortSignal): Promise<number> {
  const stop = AbortSignal.any([signal, output.closed]);
  const places = await placesOf(log, name, options.partitions);
  const ends = await log.offsetsAt(places, 'latest');
  await using reader = await log.openReader({ clientId: 'millrace-topic-read', isolation: options.isolation });
  let positions = await startOf(log, places, ends, options.from);
  const unfinished = (): boolean => options.follow || positions.some((each) => each.offset < offsetIn(ends, each));
  let left = options.max ?? Infinity;
  let written = 0;
  let idle = 0;

  if (unfinished()) reader.assign(positions);
  while (left > 0 && unfinished() && !stop.aborted) {
    const runs = await fetchUntil(reader.fetch(fetchLimits, stop), stop);
    idle = runs.length > 0 ? 0 : idle + 1;
    if (idle >= patience && !options.follow) break;
    for (const run of runs) {
      const end = options.follow ? undefined : offsetIn(ends, run);
      for (const record of recordsOf(run, end)) {
        if (left-- <= 0 || stop.aborted) return written;
        await output.write(recordLine(options.format, run, record));
        written++;
      }
    }
    positions = positions.map((each) => ({ ...each, offset: runs.findLast((run) => isSame(run, each))?.nextPosition ?? each.offset }));
  }
  return written;
}

function* recordsOf(run: FetchedRun, end: bigint | undefined): ReturnType<typeof readRecords> {
  for (const record of readRecords(Buffer.from(run.buffer), run.length, run.position)) {
    if (end !== undefined && record.offset >= end) return;
    yield record;
  }
}

/** An interrupted fetch is the end, not an error. */
async function fetchUntil(fetching: Promise<readonly FetchedRun[]>, signal: AbortSignal): Promise<readonly FetchedRun[]> {
  try {
    return await fetching;
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  }
}

async function placesOf(log: Log, name: string, wanted: readonly number[] | undefined): Promise<readonly TopicPartition[]> {
  const topic = await topicOf(log, name);
  const missing = wanted?.find((partition) => partition >= topic.partitions);
  if (missing !== undefined) throw new ConfigError(`topic ${name} has no partition ${missing}; it has 0 to ${topic.partitions - 1}`);
  return partitionsOf(topic).filter(({ partition }) => wanted?.includes(partition) ?? true);
}

async function startOf(
  log: Log,
  places: readonly TopicPartition[],
  ends: readonly PartitionOffset[],
  from: ReadOptions['from'],
): Promise<readonly PartitionOffset[]> {
  if (from === 'end') return ends;
  const begins = await log.offsetsAt(places, 'earliest');
  if (from === 'beginning') return begins;
  return places.map((place) => {
    const [begin, end] = [offsetIn(begins, place), offsetIn(ends, place)];
    const wanted = from < 0n ? end + from : from;
    return { ...place, offset: wanted < begin ? begin : wanted > end ? end : wanted };
  });
}

const isSame = (a: TopicPartition, b: TopicPartition): boolean => a.topic === b.topic && a.partition === b.partition;

const offsetIn = (offsets: readonly PartitionOffset[], place: TopicPartition): bigint =>
  offsets.find((each) => isSame(each, place))?.offset ?? 0n;
