import { javaPattern } from '../api/index.ts';
import type { JavaPattern } from '../api/index.ts';
import type { GroupOptions } from '../ports/log.ts';
import type { Cluster, TopicMetadata } from './cluster.ts';
import { brokerError, codes, passing } from './protocol-error.ts';

/** Topics that do not exist are looked for this often. */
const missingIntervalMs = 2000;

/** Which topics a group reads: those named, or those that match a pattern, as the cluster has them now. */
export class TopicSubscription {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  readonly #names: readonly string[] | undefined;
  readonly #pattern: JavaPattern | undefined;
  readonly #autoCreate: boolean;
  #checkedAt = 0;
  #intervalMs: number;
  #checking = false;
  /** Each topic's id and count of partitions at the last `topics`. */
  #seen = new Map<string, string>();

  constructor(cluster: Cluster, groupId: string, topics: GroupOptions['topics'], autoCreate: boolean) {
    this.#cluster = cluster;
    this.#groupId = groupId;
    this.#autoCreate = autoCreate;
    this.#intervalMs = cluster.network.metadataMaxAgeMs;
    if ('names' in topics) this.#names = topics.names;
    else this.#pattern = javaPattern(topics.pattern);
  }

  /** The topics to be subscribed to now. */
  async topics(): Promise<readonly string[]> {
    const found = await this.#look();
    this.#seen = shapes(found);
    return this.#names ?? [...found.keys()];
  }

  /**
   * As at the last `topics`. What is read by it, and turns out to be another's by now, is a change that `check` hears of,
   * whatever older news a broker may give meanwhile.
   */
  idOf(topic: string): string | undefined {
    return this.#seen.get(topic)?.split('/')[0] || undefined;
  }

  /** Calls `changed` when topics or partitions have come or gone since, or a topic was made anew, at most every `metadata.max.age.ms`. */
  check(changed: () => void): void {
    if (this.#checking || (Date.now() - this.#checkedAt < this.#intervalMs && !this.#hasHeard())) return;
    this.#checking = true;
    this.hasChanged().then(
      (hasChanged) => {
        this.#checking = false;
        if (hasChanged) changed();
      },
      () => {
        this.#checking = false;
      },
    );
  }

  /** Whether topics or partitions have come or gone since, as the cluster has them at this moment. */
  async hasChanged(): Promise<boolean> {
    const before = this.#seen;
    const now = shapes(await this.#look());
    if (before !== this.#seen || (now.size === before.size && [...now].every(([name, shape]) => before.get(name) === shape))) return false;
    this.#seen = now;
    return true;
  }

  /** Whether others have learnt of a topic that was made anew: whoever reads from it, say, when its leader was gone. */
  #hasHeard(): boolean {
    return [...this.#seen].some(([name, shape]) => {
      const topic = this.#cluster.topic(name);
      return topic?.topicId !== undefined && !shape.startsWith(`${topic.topicId}/`);
    });
  }

  /** Topics that are there. */
  async #look(): Promise<Map<string, TopicMetadata>> {
    this.#checkedAt = Date.now();
    const answer = await this.#cluster.metadata(this.#names ?? null, this.#names !== undefined && this.#autoCreate);
    const found = new Map<string, TopicMetadata>();
    for (const [name, topic] of answer) {
      if (this.#pattern !== undefined && (topic.internal || !this.#pattern.matches(name))) continue;
      const { errorCode } = topic;
      if (errorCode !== codes.none && !passing.has(errorCode) && errorCode !== codes.invalidTopic) {
        throw brokerError(errorCode, `group "${this.#groupId}", topic "${name}": subscribing to it`);
      }
      if (topic.leaders.length > 0) found.set(name, topic);
    }
    const missing = this.#names !== undefined && found.size < this.#names.length;
    const { metadataMaxAgeMs } = this.#cluster.network;
    this.#intervalMs = missing ? Math.min(missingIntervalMs, metadataMaxAgeMs) : metadataMaxAgeMs;
    return found;
  }
}

const shapes = (topics: ReadonlyMap<string, TopicMetadata>): Map<string, string> =>
  new Map([...topics].map(([name, { topicId = '', leaders }]) => [name, `${topicId}/${leaders.length}`]));
