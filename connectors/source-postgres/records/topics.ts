import type { Settings } from '../config/settings.ts';

/** Topic names hold letters, digits, dot, underscore and hyphen; anything else becomes an underscore. */
const legal = (name: string): string => name.replace(/[^A-Za-z0-9._-]/g, '_');

type Naming = Pick<Settings, 'topicPrefix' | 'topicDelimiter' | 'heartbeatTopicPrefix' | 'transactionTopicName'>;

export const heartbeatTopic = ({ heartbeatTopicPrefix, topicPrefix, topicDelimiter }: Naming): string =>
  legal([heartbeatTopicPrefix, topicPrefix].join(topicDelimiter));

/** As Debezium has it, whatever the delimiter. */
export const messageTopic = ({ topicPrefix }: Naming): string => legal(`${topicPrefix}.message`);

export const transactionTopic = ({ topicPrefix, topicDelimiter, transactionTopicName }: Naming): string =>
  legal([topicPrefix, transactionTopicName].join(topicDelimiter));
