/**
 * Debezium's figures of streaming, under the names that the usual rule of the JMX exporter gives them
 * (`debezium_metrics_<attribute>{plugin, name, context}`), and ours of the slot.
 * Sources: io.debezium.pipeline.metrics.traits.StreamingMetricsMXBean, CommonEventMetricsMXBean, QueueMetricsMXBean;
 * the exporter's config in debezium-examples/monitoring.
 */
import type { TaskContext } from '@millrace/runtime/api';

import type { RecordQueue } from '../records/queue.ts';
import type { Settings } from '../config/settings.ts';
import type { SlotState } from '../slot/slot.ts';
import { noCounts } from '../records/stream-counts.ts';
import type { StreamCounts } from '../records/stream-counts.ts';

const everyMs = 1_000;

export interface StreamingFigures extends Disposable {
  readonly counts: StreamCounts;
  slot(state: SlotState): void;
}

/** Publishes once a second, until it is disposed of. `connected`: whether a stream runs. */
export function createStreamingFigures(
  setFigure: TaskContext['setFigure'],
  settings: Settings,
  queue: RecordQueue,
  connected: () => boolean,
): StreamingFigures {
  const counts = noCounts();
  const labels = { plugin: 'postgres', name: settings.topicPrefix, context: 'streaming' };
  let seen = 0;
  const put = (name: string, value: number): void => setFigure?.(`debezium_metrics_${name}`, value, labels);

  function publish(): void {
    const total = counts.created + counts.updated + counts.deleted + counts.others + counts.filtered;
    if (total > seen) counts.lastEventMs = Date.now();
    seen = total;
    put('Connected', connected() ? 1 : 0);
    put('MilliSecondsBehindSource', counts.lagMs);
    put('MilliSecondsSinceLastEvent', counts.lastEventMs < 0 ? -1 : Date.now() - counts.lastEventMs);
    put('TotalNumberOfEventsSeen', total);
    put('TotalNumberOfCreateEventsSeen', counts.created);
    put('TotalNumberOfUpdateEventsSeen', counts.updated);
    put('TotalNumberOfDeleteEventsSeen', counts.deleted);
    put('NumberOfEventsFiltered', counts.filtered);
    put('NumberOfErroneousEvents', counts.erroneous);
    put('NumberOfCommittedTransactions', counts.transactions);
    if (counts.lastTxId !== null) put('LastTransactionId', counts.lastTxId);
    put('QueueTotalCapacity', settings.maxQueueSize);
    put('QueueRemainingCapacity', Math.max(0, settings.maxQueueSize - queue.waiting.records));
    put('MaxQueueSizeInBytes', settings.maxQueueBytes);
    put('CurrentQueueSizeInBytes', queue.waiting.bytes);
  }

  const timer = setInterval(publish, everyMs);
  publish();
  return {
    counts,
    slot({ retainedBytes, unconfirmedBytes, walStatus, safeBytes }) {
      const of = { slot: settings.slot };
      setFigure?.('millrace_postgres_slot_retained_bytes', retainedBytes, of);
      setFigure?.('millrace_postgres_slot_unconfirmed_bytes', unconfirmedBytes, of);
      if (safeBytes !== null) setFigure?.('millrace_postgres_slot_safe_bytes', safeBytes, of);
      for (const status of ['reserved', 'extended', 'unreserved', 'lost'])
        setFigure?.('millrace_postgres_slot_wal_status', status === walStatus ? 1 : 0, { ...of, status });
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      publish();
    },
  };
}
