import { ConfigError, javaPattern } from '../api/index.ts';
import type { JavaPattern, RawConfig } from '../api/index.ts';
import type { Log, TopicSpec } from '../ports/log.ts';

/** Which topics there are, and how a source's new ones are made. */
export interface TopicDirectory {
  /** Creates the topic when it is missing. */
  partitionsOf(topic: string): Promise<number>;
}

/** `onUsed` hears of each topic once. */
export function topicDirectory(
  log: Log,
  creation: (topic: string) => TopicSpec | undefined,
  onUsed: (topic: string) => void,
): TopicDirectory {
  return {
    async partitionsOf(topic) {
      let [found] = await log.describeTopics([topic]);
      if (found === undefined) {
        const spec = creation(topic);
        if (spec === undefined) {
          throw new ConfigError(`topic "${topic}" does not exist, and topic.creation.enable=false.`, {
            hint: 'Create it, or enable topic creation.',
          });
        }
        await log.createTopics([spec]);
        [found] = await log.describeTopics([topic]);
      }
      onUsed(topic);
      return found?.partitions ?? 1;
    },
  };
}

/**
 * The rules of `topic.creation.*` (KIP-158): the first group in order that includes a topic makes it, else the
 * default group. Without any, the log's own defaults make it, as a broker's auto-creation would.
 */
export function topicCreation(config: RawConfig, enabled: boolean): (topic: string) => TopicSpec | undefined {
  if (!enabled) return () => undefined;
  const groups = [
    ...(config['topic.creation.groups'] ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
    'default',
  ].map((group) => {
    const prefix = `topic.creation.${group}.`;
    const own = Object.fromEntries(
      Object.entries(config)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), value]),
    );
    const { include, exclude, partitions, 'replication.factor': replicationFactor, ...settings } = own;
    const included = patternList(include ?? (group === 'default' ? '.*' : ''));
    const excluded = patternList(exclude ?? '');
    return {
      matches: (topic: string) => included.some((pattern) => pattern.matches(topic)) && !excluded.some((pattern) => pattern.matches(topic)),
      spec: (name: string): TopicSpec => ({
        name,
        ...(partitions === undefined ? {} : { partitions: Number(partitions) }),
        ...(replicationFactor === undefined ? {} : { replicationFactor: Number(replicationFactor) }),
        ...(Object.keys(settings).length === 0 ? {} : { config: settings }),
      }),
    };
  });
  return (topic) => groups.find(({ matches }) => matches(topic))?.spec(topic);
}

function patternList(text: string): JavaPattern[] {
  return text
    .split(',')
    .map((pattern) => pattern.trim())
    .filter(Boolean)
    .map((pattern) => javaPattern(pattern));
}
