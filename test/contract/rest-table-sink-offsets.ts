/** Offsets of a sink: those of its consumer group. The topic holds what the connectors of earlier sections wrote. */
import { failure } from './rest-row.ts';
import type { RestRow, RestTableWorld } from './rest-row.ts';

export function sinkOffsetRows({ inputFile, topic, prefix }: RestTableWorld): readonly RestRow[] {
  const name = `${prefix}-sink`;
  const at = `/connectors/${name}`;
  const path = `${at}/offsets`;
  const config = { 'connector.class': 'FileStreamSink', topics: topic, file: `${inputFile}.out` };
  const partition = { kafka_topic: topic, kafka_partition: 0 };
  const patch = (partitionOf: unknown, offset: unknown): Pick<RestRow, 'method' | 'path' | 'body'> => ({
    method: 'PATCH',
    path,
    body: { offsets: [{ partition: partitionOf, offset }] },
  });
  const rows: RestRow[] = [
    { what: 'created', method: 'PUT', path: `${at}/config`, body: config, expect: { status: 201 } },
    { what: 'runs', method: 'GET', path: `${at}/status`, expect: { status: 200, text: '"id":0,"state":"RUNNING"' }, eventually: true },
    {
      what: 'has read some',
      method: 'GET',
      path,
      expect: { status: 200, text: /"kafka_offset":[1-9]/ },
      eventually: true,
    },
    { what: 'stopped', method: 'PUT', path: `${at}/stop`, expect: { status: 204 } },
    { what: 'is stopped', method: 'GET', path: `${at}/status`, expect: { status: 200, text: '"tasks":[]' }, eventually: true },
    {
      what: 'a partition without its number',
      ...patch({ kafka_topic: topic }, { kafka_offset: 1 }),
      expect: failure(400, "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"),
    },
    {
      what: 'no partition',
      ...patch(null, { kafka_offset: 1 }),
      expect: { status: 400, text: 'must be a JSON object' },
      connect: failure(400, 'The partition for a sink connector offset cannot be null or missing'),
    },
    {
      what: 'a topic that is null',
      ...patch({ kafka_topic: null, kafka_partition: 0 }, { kafka_offset: 1 }),
      expect: failure(400, 'Kafka topic names must be valid strings and may not be null'),
    },
    {
      what: 'a partition that is null',
      ...patch({ kafka_topic: topic, kafka_partition: null }, { kafka_offset: 1 }),
      expect: failure(400, 'Kafka partitions must be valid numbers and may not be null'),
    },
    {
      what: 'a partition that is no number',
      ...patch({ kafka_topic: topic, kafka_partition: 'x' }, { kafka_offset: 1 }),
      expect: { status: 400, text: "Failed to parse the following Kafka partition value in the provided offsets: 'x'." },
    },
    {
      what: 'an offset without its key',
      ...patch(partition, { position: 1 }),
      expect: failure(400, "The offset for a sink connector should either be null or contain the key 'kafka_offset'"),
    },
    {
      what: 'an offset that is no number',
      ...patch(partition, { kafka_offset: 'x' }),
      expect: { status: 400, text: "Failed to parse the following Kafka offset value in the provided offsets: 'x'." },
    },
    {
      what: 'a topic that is not there',
      ...patch({ kafka_topic: `${topic}-none`, kafka_partition: 0 }, { kafka_offset: 1 }),
      expect: { status: 400, text: 'there is no such topic' },
      connect: { status: 500 },
    },
    {
      what: 'altered; numbers may be text',
      ...patch({ kafka_topic: topic, kafka_partition: '0' }, { kafka_offset: '1' }),
      expect: { status: 200, body: { message: 'The offsets for this connector have been altered successfully' } },
    },
    {
      what: 'as altered',
      method: 'GET',
      path,
      expect: { status: 200, body: { offsets: [{ partition, offset: { kafka_offset: 1 } }] } },
    },
    {
      what: 'one partition reset',
      ...patch(partition, null),
      expect: { status: 200, body: { message: 'The offsets for this connector have been altered successfully' } },
    },
    { what: 'none left', method: 'GET', path, expect: { status: 200, body: { offsets: [] } } },
    {
      what: 'all reset',
      method: 'DELETE',
      path,
      expect: { status: 200, body: { message: 'The offsets for this connector have been reset successfully' } },
    },
    { what: 'done', method: 'DELETE', path: at, expect: { status: 204 } },
  ];
  return rows.map((row) => ({ ...row, running: true }));
}
