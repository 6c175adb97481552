import { ConnectError } from '../api/index.ts';
import type { Log } from '../ports/log.ts';
import { sleep } from './backoff.ts';

/** How long a topic of the assignment may be unknown to the log: it was deleted, say, and comes again. */
const patienceMs = 10_000;

/** The ids of the topics that a sink task reads. */
export interface TopicIds {
  /** Asks the log for the ids of these topics, as they are now. Rejects with a ConnectError for one that stays unknown. */
  learn(topics: readonly string[], signal: AbortSignal): Promise<void>;
  /** Those of these topics that were deleted, or made anew, since their ids were learnt. */
  gone(topics: readonly string[]): Promise<ReadonlySet<string>>;
  /** Empty where the log has no ids. Throws a ConnectError for a topic that is not of the assignment. */
  of(topic: string): string;
}

export function topicIds(log: Pick<Log, 'describeTopics'>): TopicIds {
  const known = new Map<string, string>();

  async function found(topics: readonly string[]): Promise<Map<string, string>> {
    const described = await log.describeTopics(topics);
    return new Map(described.map(({ name, topicId = '' }) => [name, topicId]));
  }

  return {
    async learn(topics, signal) {
      const deadline = Date.now() + patienceMs;
      for (let missing = [...new Set(topics)]; missing.length > 0;) {
        const ids = await found(missing);
        for (const [topic, id] of ids) known.set(topic, id);
        missing = missing.filter((topic) => !ids.has(topic));
        if (missing.length === 0) return;
        if (Date.now() >= deadline) {
          throw new ConnectError(`topic "${missing[0]}" was assigned to this task, but the log does not know it any more.`, {
            hint: 'Create it again, or take it out of topics; then restart the task.',
          });
        }
        await sleep(200, signal);
        signal.throwIfAborted();
      }
    },
    async gone(topics) {
      const ids = await found([...new Set(topics)]);
      return new Set(topics.filter((topic) => known.has(topic) && ids.get(topic) !== known.get(topic)));
    },
    of(topic) {
      const id = known.get(topic);
      if (id === undefined) {
        throw new ConnectError(`topicId("${topic}"): this task does not read that topic.`, {
          hint: 'Ask by the name that was read, one of the assignment; transforms may have renamed the topic of a record.',
        });
      }
      return id;
    },
  };
}
