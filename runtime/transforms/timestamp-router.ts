import { DataError, defineConfig, defineTransform } from '../api/index.ts';
import { dateFormat } from './date-format.ts';

const config = defineConfig({
  'topic.format': {
    type: 'string',
    default: '${topic}-${timestamp}',
    importance: 'high',
    doc: 'Format string which can contain `${topic}` and `${timestamp}` as placeholders for the topic and timestamp, respectively.',
  },
  'timestamp.format': {
    type: 'string',
    default: 'yyyyMMdd',
    importance: 'high',
    doc: 'Format string for the timestamp that is compatible with java.text.SimpleDateFormat.',
  },
});

/** org.apache.kafka.connect.transforms.TimestampRouter; in UTC. */
export default defineTransform({
  config,
  create(values) {
    const format = dateFormat(values['timestamp.format']);
    const topicFormat = values['topic.format'];
    return (record) => {
      if (record.timestamp === null) throw new DataError(`Timestamp missing on record of topic ${record.topic}`);
      const timestamp = format.format(new Date(record.timestamp));
      return { ...record, topic: topicFormat.replaceAll('${topic}', () => record.topic).replaceAll('${timestamp}', () => timestamp) };
    };
  },
});
