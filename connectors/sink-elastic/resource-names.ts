/** Which index, alias or data stream a topic's records go to. Source: ElasticsearchSinkTask.createIndexName. */
import { ConfigError } from '@millrace/runtime/api';

import type { Config } from './config.ts';

/** Lower case, 255 characters at most, one leading `-` or `_` taken off; `.` and `..` become `dot` and `dotdot`. */
export function indexName(topic: string): string {
  let name = topic.toLowerCase().slice(0, 255);
  if (name.startsWith('-') || name.startsWith('_')) name = name.slice(1);
  return name === '.' || name === '..' ? name.replaceAll('.', 'dot') : name;
}

/** type-dataset-namespace, the namespace 100 characters at most. */
export function dataStreamName(values: Config, topic: string): string {
  const namespace = values['data.stream.namespace'].replaceAll('${topic}', topic.toLowerCase()).slice(0, 100);
  return `${values['data.stream.type'].toLowerCase()}-${values['data.stream.dataset']}-${namespace}`;
}

/** The pairs of topic.to.external.resource.mapping. Throws a ConfigError where they are not one to one. */
export function externalResources(values: Config): Map<string, string> {
  const found = new Map<string, string>();
  const key = 'topic.to.external.resource.mapping';
  for (const pair of values[key]) {
    const [topic = '', resource = '', ...more] = pair.split(':').map((part) => part.trim());
    if (topic === '' || resource === '' || more.length > 0) throw new ConfigError(`${key}: "${pair}" must be topic:resource.`);
    if (found.has(topic)) throw new ConfigError(`${key}: topic "${topic}" is mapped more than once.`);
    if ([...found.values()].includes(resource)) throw new ConfigError(`${key}: resource "${resource}" is mapped from more than one topic.`);
    found.set(topic, resource);
  }
  const most = values['max.external.resource.mappings'];
  if (found.size > most) throw new ConfigError(`${key}: there are ${found.size} mappings, and max.external.resource.mappings is ${most}.`);
  return found;
}

/** The name for a topic. The function throws a ConfigError for a topic that external mappings leave out. */
export function resourceNames(
  values: Config,
  dataStream: boolean,
  external: ReadonlyMap<string, string> | undefined,
): (topic: string) => string {
  if (external === undefined) return dataStream ? (topic) => dataStreamName(values, topic) : indexName;
  return (topic) => {
    const resource = external.get(topic);
    if (resource !== undefined) return resource;
    throw new ConfigError(`topic "${topic}" is not in topic.to.external.resource.mapping: add it as "${topic}:resource".`);
  };
}
