import type { TopicPartition } from '../api/index.ts';
import { readRecords } from '../batch/record-reader.ts';
import type { RawRecord } from '../batch/record-reader.ts';
import type { Log } from '../ports/log.ts';

const fetchLimits = { maxWaitMs: 1_000, maxBytes: 2 << 20 };

export interface ScanRange {
  /** What was deleted before it is passed over. */
  readonly from: bigint;
  /** Not included; left out: the end as it is now. */
  readonly to?: bigint;
}

/**
 * The committed records of a partition in order, one batch of bytes in memory at a time: keep no views of them. Ends at once
 * for a range that is empty. Rejects with a ConnectError for a partition that does not exist.
 */
export async function* scanPartition(
  log: Log,
  clientId: string,
  place: TopicPartition,
  range: ScanRange,
  signal?: AbortSignal,
): AsyncGenerator<RawRecord> {
  const [earliest] = await log.offsetsAt([place], 'earliest');
  const [latest] = await log.offsetsAt([place], 'latest');
  const start = earliest?.offset ?? 0n;
  const end = latest?.offset ?? 0n;
  const to = range.to === undefined || range.to > end ? end : range.to;
  let position = range.from < start ? start : range.from;
  if (position >= to) return;
  await using reader = await log.openReader({ clientId, isolation: 'read_committed' });
  reader.assign([{ ...place, offset: position }]);
  while (position < to) {
    for (const run of await reader.fetch(fetchLimits, signal)) {
      for (const record of readRecords(Buffer.from(run.buffer), run.length, run.position)) {
        if (record.offset >= to) return;
        yield record;
      }
      position = run.nextPosition;
    }
  }
}
