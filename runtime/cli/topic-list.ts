/** `millrace topic list` and `millrace topic describe`. */
import { ConfigError } from '../api/index.ts';
import type { Log, TopicDescription } from '../ports/log.ts';
import type { Output } from './output.ts';

export interface ListOptions {
  readonly format: 'text' | 'json';
}

export async function listTopics(log: Log, output: Output, { format }: ListOptions): Promise<void> {
  const topics = [...(await log.describeTopics())].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (format === 'json') {
    for (const topic of topics) await output.write(`${JSON.stringify(topic)}\n`);
    return;
  }
  await output.write(columns([['TOPIC', 'PARTITIONS'], ...topics.map((topic) => [topic.name, String(topic.partitions)])]));
}

/** Throws a ConfigError for a topic that is not there. */
export async function describeTopic(log: Log, name: string, output: Output, { format }: ListOptions): Promise<void> {
  const topic = await topicOf(log, name);
  const places = partitionsOf(topic);
  const [earliest, latest, config] = await Promise.all([
    log.offsetsAt(places, 'earliest'),
    log.offsetsAt(places, 'latest'),
    log.topicConfig(name),
  ]);
  const at = (offsets: typeof earliest, partition: number): bigint => offsets.find((each) => each.partition === partition)?.offset ?? 0n;
  const partitions = places.map(({ partition }) => ({ partition, begin: at(earliest, partition), end: at(latest, partition) }));
  if (format === 'json') {
    const offsets = partitions.map(({ partition, begin, end }) => `{"partition":${partition},"begin":${begin},"end":${end}}`).join(',');
    return output.write(`${JSON.stringify({ ...topic, config }).slice(0, -1)},"offsets":[${offsets}]}\n`);
  }
  await output.write(`topic ${topic.name}, replication factor ${topic.replicationFactor}${topic.internal ? ', internal' : ''}\n\n`);
  await output.write(
    columns([['PARTITION', 'BEGIN', 'END'], ...partitions.map(({ partition, begin, end }) => [partition, begin, end].map(String))]),
  );
  const settings = Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));
  if (settings.length > 0) await output.write(`\n${settings.map(([key, value]) => `${key}=${value}\n`).join('')}`);
}

/** Throws a ConfigError that names the topics there are. */
export async function topicOf(log: Log, name: string): Promise<TopicDescription> {
  const [topic] = await log.describeTopics([name]);
  if (topic !== undefined) return topic;
  const names = (await log.describeTopics()).map((each) => each.name).sort();
  const shown = names.length > 10 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ') || 'none';
  throw new ConfigError(`there is no topic ${name}; there are: ${shown}`);
}

export const partitionsOf = (topic: TopicDescription): { topic: string; partition: number }[] =>
  Array.from({ length: topic.partitions }, (_, partition) => ({ topic: topic.name, partition }));

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
