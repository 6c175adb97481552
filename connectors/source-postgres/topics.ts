import type { Settings } from './settings.ts';
import { legalTopic } from './topic-naming.ts';

type Naming = Pick<Settings, 'topicPrefix' | 'topicDelimiter' | 'heartbeatTopicPrefix'>;

export const heartbeatTopic = ({ heartbeatTopicPrefix, topicPrefix, topicDelimiter }: Naming): string =>
  legalTopic([heartbeatTopicPrefix, topicPrefix].join(topicDelimiter));

/** With a dot whatever topic.delimiter is, as in Debezium (LogicalDecodingMessageMonitor). */
export const messageTopic = ({ topicPrefix }: Pick<Naming, 'topicPrefix'>): string => `${topicPrefix}.message`;
