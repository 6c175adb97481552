import type { SinkRecord } from '@millrace/runtime/api';

/** The topic that a record was read from, whatever transforms made of its name: offsets and topic ids go by this one. */
export const readTopicOf = ({ topic, originalTopic }: Pick<SinkRecord, 'topic' | 'originalTopic'>): string => originalTopic ?? topic;
