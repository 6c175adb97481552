import { BatchWriter, encodeHeaders } from '../batch/batch-writer.ts';
import { partitionForKey } from '../batch/partitioner.ts';
import type { OutboundBatch } from '../ports/log.ts';
import type { OffsetsTopic } from '../ports/stores.ts';
import type { RawOffset } from './offset-table.ts';

const withoutHeaders = encodeHeaders([]);

/** Batches of an offsets topic, one for each of its partitions that is touched, spread as the JVM's producer spreads them. */
export function offsetBatches({ name, partitions }: OffsetsTopic, offsets: readonly RawOffset[], now = Date.now()): OutboundBatch[] {
  const writers = new Map<number, BatchWriter>();
  for (const { key, value } of offsets) {
    const partition = partitionForKey(key, partitions);
    let writer = writers.get(partition);
    if (writer === undefined) writers.set(partition, (writer = new BatchWriter(new ArrayBuffer(512))));
    writer.beginRecord(now);
    writer.beginKey();
    writer.out.copy(key);
    writer.endKey(true);
    writer.beginValue();
    if (value !== null) writer.out.copy(value);
    writer.endValue(value !== null);
    writer.endRecord(withoutHeaders);
  }
  return [...writers].map(([partition, writer]) => ({ topic: name, partition, ...writer.finish() }));
}
