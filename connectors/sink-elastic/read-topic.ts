import type { RecordPlace, SinkRecord } from '@millrace/runtime/api';

/** The topic that a record was read from, whatever transforms made of its name: offsets and topic ids go by this one. */
export const readTopicOf = ({ topic, originalTopic }: Pick<SinkRecord, 'topic' | 'originalTopic'>): string => originalTopic ?? topic;

/**
 * Where a record stood first, its topic by the name that was read: versions go by this one. A dead letter that was
 * resubmitted has the version that it would have had in its turn, between the records before it and those after.
 */
export function firstPlaceOf(record: SinkRecord): RecordPlace {
  const { partition, offset, resubmitted } = record;
  return resubmitted ?? { topic: readTopicOf(record), partition, offset };
}

/** For messages. */
export function nameOf({ topic, partition, offset, resubmitted }: SinkRecord): string {
  return resubmitted === undefined
    ? `${topic}-${partition}@${offset}`
    : `${resubmitted.topic}-${resubmitted.partition}@${resubmitted.offset}, resubmitted`;
}
