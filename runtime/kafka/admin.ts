import { createTopicsV7, deleteTopicsV6, describeConfigsV4 } from '@platformatic/kafka';
import { RetriableError } from '../api/index.ts';
import type { TopicDescription, TopicSpec } from '../ports/log.ts';
import type { Cluster } from './cluster.ts';
import { answerOf, brokerError, codes, passing, patienceMs } from './protocol-error.ts';

const topicResource = 2;

export async function describeTopics(cluster: Cluster, names?: readonly string[]): Promise<readonly TopicDescription[]> {
  if (names?.length === 0) return [];
  const topics = await cluster.retrying(() => cluster.metadata(names ?? null, false));
  const described: TopicDescription[] = [];
  for (const [name, { topicId, errorCode, leaders, replicationFactor, internal }] of topics) {
    if (errorCode === codes.unknownTopicOrPartition || errorCode === codes.invalidTopic) continue;
    if (errorCode !== codes.none && !passing.has(errorCode)) throw brokerError(errorCode, `topic "${name}": describing it`);
    described.push({ name, partitions: leaders.length, replicationFactor, internal, ...(topicId === undefined ? {} : { topicId }) });
  }
  return described;
}

export function topicConfig(cluster: Cluster, name: string): Promise<Readonly<Record<string, string>>> {
  return cluster.retrying(async () => {
    const resources = [{ resourceType: topicResource, resourceName: name, configurationKeys: null }];
    const answer = await cluster.anyBroker((connection) =>
      answerOf(
        describeConfigsV4.api.async(connection, resources as unknown as Parameters<typeof describeConfigsV4.api.async>[1], false, false),
      ),
    );
    const config: Record<string, string> = {};
    for (const { errorCode, errorMessage, configs } of answer.results) {
      if (errorCode !== codes.none) throw brokerError(errorCode, `topic "${name}": reading its config`, errorMessage);
      for (const { name: key, value } of configs) if (typeof value === 'string') config[key] = value;
    }
    return config;
  }, patienceMs);
}

/** Creates what does not exist, and waits until the cluster serves it. Returns the names that were created. */
export async function createTopics(cluster: Cluster, specs: readonly TopicSpec[]): Promise<readonly string[]> {
  const created = new Set<string>();
  let open = [...specs];
  if (open.length === 0) return [];
  await cluster.retrying(async () => {
    const topics = open.map(({ name, partitions = -1, replicationFactor = -1, config = {} }) => ({
      name,
      numPartitions: partitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    }));
    const answer = await cluster.anyBroker((connection) =>
      answerOf(createTopicsV7.api.async(connection, topics, cluster.network.requestTimeoutMs, false)),
    );
    let problem: Error | undefined;
    for (const { name, errorCode, errorMessage } of answer.topics) {
      if (errorCode === codes.none) created.add(name);
      if (errorCode === codes.none || errorCode === codes.topicAlreadyExists) open = open.filter((spec) => spec.name !== name);
      else {
        const error = brokerError(errorCode, `topic "${name}": creating it`, errorMessage);
        problem = problem === undefined || problem instanceof RetriableError ? error : problem;
      }
    }
    if (problem !== undefined) throw problem;
  });
  await whenMetadata(
    cluster,
    [...created],
    'it was created, but has no leader yet',
    (leaders) => leaders !== undefined && leaders.length > 0 && leaders.every((leader) => leader >= 0),
  );
  return specs.map(({ name }) => name).filter((name) => created.delete(name));
}

/** Deletes what exists, and waits until the cluster no longer lists it. */
export async function deleteTopics(cluster: Cluster, names: readonly string[]): Promise<void> {
  let open = [...names];
  if (open.length === 0) return;
  await cluster.retrying(async () => {
    const topics = open.map((name) => ({ name, topicId: null }));
    const answer = await cluster.anyBroker((connection) =>
      answerOf(
        deleteTopicsV6.api.async(
          connection,
          topics as unknown as Parameters<typeof deleteTopicsV6.api.async>[1],
          cluster.network.requestTimeoutMs,
        ),
      ),
    );
    let problem: Error | undefined;
    for (const { name, errorCode, errorMessage } of answer.responses) {
      if (errorCode === codes.none || errorCode === codes.unknownTopicOrPartition) open = open.filter((each) => each !== name);
      else problem = brokerError(errorCode, `topic "${name}": deleting it`, errorMessage);
    }
    if (problem !== undefined) throw problem;
  });
  await whenMetadata(cluster, names, 'it was deleted, but is still listed', (leaders) => leaders === undefined);
}

async function whenMetadata(
  cluster: Cluster,
  names: readonly string[],
  otherwise: string,
  holds: (leaders: readonly number[] | undefined) => boolean,
): Promise<void> {
  if (names.length === 0) return;
  await cluster.retrying(async () => {
    const topics = await cluster.metadata(names, false);
    for (const name of names) {
      const topic = topics.get(name);
      const leaders = topic === undefined || topic.errorCode === codes.unknownTopicOrPartition ? undefined : topic.leaders;
      if (!holds(leaders)) throw new RetriableError(`topic "${name}": ${otherwise}.`);
    }
  });
}
