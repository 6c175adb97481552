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
  /** Partitions of each topic at the last `topics`. */
  #seen = new Map<string, number>();

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
    this.#seen = counts(found);
    return this.#names ?? [...found.keys()];
  }

  /** Calls `changed` when topics or partitions have come or gone since, at most every `metadata.max.age.ms`. */
  check(changed: () => void): void {
    if (this.#checking || Date.now() - this.#checkedAt < this.#intervalMs) return;
    this.#checking = true;
    const before = this.#seen;
    this.#look().then(
      (found) => {
        this.#checking = false;
        const now = counts(found);
        if (before !== this.#seen || (now.size === before.size && [...now].every(([name, count]) => before.get(name) === count))) return;
        this.#seen = now;
        changed();
      },
      () => {
        this.#checking = false;
      },
    );
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

const counts = (topics: ReadonlyMap<string, TopicMetadata>): Map<string, number> =>
  new Map([...topics].map(([name, { leaders }]) => [name, leaders.length]));

/** Java's Pattern.matches: the whole name must match. */
