/** What a reader of committed records sees, by kcat: neither our reading nor kafkajs's. */
import { kcatLines } from '../services/kcat.ts';
import type { TopicReader, TopicRecord } from './topic-reader.ts';
import { until } from './until.ts';

interface Line {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly payload: string | null;
}

export function committedReader(brokers: readonly string[]): TopicReader {
  const args = ['-b', brokers.join(','), '-C', '-o', 'beginning', '-e', '-q', '-J', '-X', 'isolation.level=read_committed'];
  const read = async (topic: string): Promise<TopicRecord[]> => {
    let records: TopicRecord[] = [];
    await until(`kcat reads ${topic}`, async () => {
      records = [];
      for await (const line of kcatLines([...args, '-t', topic])) {
        const { partition, offset, key, payload } = JSON.parse(line) as Line;
        records.push({ partition, offset: BigInt(offset), key, value: payload });
      }
      return true;
    });
    return records;
  };
  return { read, count: async (topic) => (await read(topic)).length };
}
