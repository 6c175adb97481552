import { RetriableError } from '../api/index.ts';
import type { PartitionOffset } from '../api/index.ts';
import type { FetchedRun, FetchLimits, LogReader } from '../ports/log.ts';
import type { ConsumerSettings } from './client-settings.ts';
import type { Cluster } from './cluster.ts';
import { Fetcher } from './fetcher.ts';
import { listOffsets } from './list-offsets.ts';

/** Reads what it is told, outside any group. */
export class KafkaReader implements LogReader {
  readonly #fetcher: Fetcher;

  constructor(cluster: Cluster, clientId: string, settings: ConsumerSettings) {
    const reset = settings.offsetReset ?? 'none';
    this.#fetcher = new Fetcher(cluster, clientId, settings, async (position, logStartOffset, highWatermark) => {
      if (reset !== 'none') return (await listOffsets(cluster, [position], reset, false))[0]?.offset as bigint;
      const start = logStartOffset >= 0n ? logStartOffset : (await listOffsets(cluster, [position], 'earliest', false))[0]?.offset;
      const end = highWatermark >= 0n ? highWatermark : (await listOffsets(cluster, [position], 'latest', false))[0]?.offset;
      throw offsetOutOfRange(clientId, position, start as bigint, end as bigint);
    });
  }

  assign(positions: readonly PartitionOffset[]): void {
    this.#fetcher.assign(positions);
  }

  fetch(limits: FetchLimits, signal?: AbortSignal): Promise<readonly FetchedRun[]> {
    return this.#fetcher.fetch(limits, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fetcher.close();
  }
}

function offsetOutOfRange(clientId: string, { topic, partition, offset }: PartitionOffset, start: bigint, end: bigint): RetriableError {
  const message = `OffsetOutOfRange: consumer "${clientId}", topic "${topic}", partition ${partition}: offset ${offset} is not in the log, which has ${start} to ${end}.`;
  return Object.assign(new RetriableError(message), { code: 'OFFSET_OUT_OF_RANGE' });
}
