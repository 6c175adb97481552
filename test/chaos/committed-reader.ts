/** What a reader of committed records sees, by kcat: neither our reading nor kafkajs's. */
import { kcat } from '../services/kcat.ts';
import type { TopicReader, TopicRecord } from './topic-reader.ts';
import { until } from './until.ts';

interface Line {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly payload: string | null;
}

export function committedReader(brokers: readonly string[]): TopicReader {
  const read = async (topic: string): Promise<TopicRecord[]> => {
    let output = '';
    await until(`kcat reads ${topic}`, async () => {
      output = await kcat([
        '-b',
        brokers.join(','),
        '-C',
        '-t',
        topic,
        '-o',
        'beginning',
        '-e',
        '-q',
        '-J',
        '-X',
        'isolation.level=read_committed',
      ]);
      return true;
    });
    return output.split('\n').flatMap((line): TopicRecord[] => {
      if (line === '') return [];
      const { partition, offset, key, payload } = JSON.parse(line) as Line;
      return [{ partition, offset: BigInt(offset), key, value: payload }];
    });
  };
  return { read, count: async (topic) => (await read(topic)).length };
}
