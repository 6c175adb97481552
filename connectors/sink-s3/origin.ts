/** Where a record was read, whatever transforms have made of its topic. */
import { ConnectError } from '@millrace/runtime/api';
import type { SinkRecord, SinkTaskContext, TopicPartition } from '@millrace/runtime/api';

/**
 * Dead letters that were resubmitted come through a topic of their own. Throws a ConnectError for a topic that is not
 * read, unless the connector reads one topic only: two topics that transforms give one name would write to the same names.
 */
export function originOf(context: SinkTaskContext): (record: SinkRecord) => TopicPartition {
  const read = (context.rawConfig['topics'] ?? '').split(',').map((topic) => topic.trim());
  const only = read.length === 1 && read[0] !== '' ? read[0] : undefined;
  return (record) => {
    const { originalTopic, partition, resubmitted } = record;
    if (resubmitted !== undefined && originalTopic !== undefined) return { topic: originalTopic, partition };
    if (record.topic === only) return record;
    const isRenamed = only !== undefined && originalTopic === only;
    // A letter that does not say where it stood bears the name of the topic that it comes through.
    if (!isRenamed && context.assignment().some(({ topic }) => topic === record.topic)) return record;
    if (only !== undefined) return { topic: only, partition };
    throw new ConnectError(
      `connector ${context.connector}: a record has topic "${record.topic}", which is none that this task reads: a transform renamed it.`,
      {
        hint: 'A connector whose transforms rename topics must read one topic only (topics=NAME), since offsets of several would meet in one name; make one connector for each.',
      },
    );
  };
}

/** Where a record stands, for messages: a resubmitted one where it stood first. */
export function placeText({ topic, partition, offset, resubmitted }: SinkRecord): string {
  return resubmitted === undefined
    ? `${topic}-${partition}@${offset}`
    : `${resubmitted.topic}-${resubmitted.partition}@${resubmitted.offset}, resubmitted,`;
}
