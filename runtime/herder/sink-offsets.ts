import type { TopicPartition } from '../api/index.ts';
import { RequestError } from '../ports/herder.ts';
import type { ConnectorOffset } from '../ports/herder.ts';

export type SinkOffset = TopicPartition & { readonly offset: bigint | null };

const bad = (message: string): RequestError => new RequestError(400, message);

/** Numbers may come as text. Source: org.apache.kafka.connect.util.SinkUtils.parseSinkConnectorOffsets. */
export function parseSinkOffsets(offsets: readonly ConnectorOffset[]): SinkOffset[] {
  return offsets.map(({ partition, offset }) => {
    // What REST hands over may lack either.
    if ((partition as unknown) === null || partition === undefined) {
      throw bad('The partition for a sink connector offset cannot be null or missing');
    }
    if (!Object.hasOwn(partition, 'kafka_topic') || !Object.hasOwn(partition, 'kafka_partition')) {
      throw bad("The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'");
    }
    const { kafka_topic: topic, kafka_partition: number } = partition;
    if (topic === null) throw bad('Kafka topic names must be valid strings and may not be null');
    if (number === null) throw bad('Kafka partitions must be valid numbers and may not be null');
    if (!/^\d{1,9}$/.test(String(number))) {
      throw bad(
        `Failed to parse the following Kafka partition value in the provided offsets: '${number}'. ` +
          'Partition values for sink connectors need to be integers.',
      );
    }
    return { topic: String(topic), partition: Number(number), offset: offsetOf(offset) };
  });
}

function offsetOf(offset: ConnectorOffset['offset']): bigint | null {
  if (offset === null || offset === undefined) return null;
  if (!Object.hasOwn(offset, 'kafka_offset')) {
    throw bad("The offset for a sink connector should either be null or contain the key 'kafka_offset'");
  }
  const text = String(offset['kafka_offset']);
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw bad(
    `Failed to parse the following Kafka offset value in the provided offsets: '${text}'. ` +
      'Offset values for sink connectors need to be integers.',
  );
}
