/** Where a record was read, whatever transforms have made of its topic. */
import { ConnectError } from '@millrace/runtime/api';
import type { SinkRecord, SinkTaskContext, TopicPartition } from '@millrace/runtime/api';

/**
 * Throws a ConnectError for a topic that is not read, unless the connector reads one topic only: two topics that
 * transforms give one name would write to the same names.
 */
export function originOf(context: SinkTaskContext): (record: SinkRecord) => TopicPartition {
  const read = (context.rawConfig['topics'] ?? '').split(',').map((topic) => topic.trim());
  const only = read.length === 1 && read[0] !== '' ? read[0] : undefined;
  return (record) => {
    if (only !== undefined) return record.topic === only ? record : { topic: only, partition: record.partition };
    if (context.assignment().some(({ topic }) => topic === record.topic)) return record;
    throw new ConnectError(
      `connector ${context.connector}: a record has topic "${record.topic}", which is none that this task reads: a transform renamed it.`,
      {
        hint: 'A connector whose transforms rename topics must read one topic only (topics=NAME), since offsets of several would meet in one name; make one connector for each.',
      },
    );
  };
}
