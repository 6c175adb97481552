/** Signals in a topic of the worker's log, under the key of topic.prefix. Source: Debezium's KafkaSignalChannel. */
import type { SourceTaskContext } from '@millrace/runtime/api';

import type { Settings } from '../config/settings.ts';
import { parseSignal } from './signal-json.ts';
import type { Signal } from './signal.ts';

export async function followSignalTopic(
  { signals, topicPrefix }: Settings,
  { followTopic, log }: Pick<SourceTaskContext, 'followTopic' | 'log'>,
  arrive: (signal: Signal) => void,
  signal: AbortSignal,
): Promise<void> {
  const { topic, group } = signals;
  if (followTopic === undefined) return log.warn(`signal.enabled.channels: there is no log to read the topic ${topic} from`);
  log.info(`signals are read from the topic ${topic}, of the worker's own log`);
  await followTopic({
    ...{ topic, group, signal },
    from: 'earliest',
    deal(records) {
      for (const { key, value, offset } of records) {
        const to = key === null ? null : Buffer.from(key).toString('utf8');
        if (value === null) continue;
        if (to !== topicPrefix) {
          log.info(`signal topic ${topic}: the record at ${offset} is for "${to}", not "${topicPrefix}"`);
          continue;
        }
        const found = parseSignal(Buffer.from(value).toString('utf8'));
        if (typeof found === 'string') log.warn(`signal topic ${topic}: the record at ${offset} is left out: ${found}`);
        else arrive(found);
      }
    },
  });
}
