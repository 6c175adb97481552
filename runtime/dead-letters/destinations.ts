/** Topics that records are resubmitted to, as they are. */
import type { Log } from '../ports/log.ts';

export interface Destination {
  readonly topic: string;
  readonly partitions: number;
  readonly maxBatchBytes: number;
  /** What is older may be refused, or deleted before it is read. */
  readonly oldestMs: number;
}

const defaultMaxMessageBytes = 1_048_588;

/** Undefined for a topic that does not exist. Each is asked for once. */
export function destinations(log: Log): (topic: string) => Promise<Destination | undefined> {
  const known = new Map<string, Promise<Destination | undefined>>();
  return (topic) => {
    let found = known.get(topic);
    if (found === undefined) known.set(topic, (found = look(log, topic)));
    return found;
  };
}

async function look(log: Log, topic: string): Promise<Destination | undefined> {
  const [found] = await log.describeTopics([topic]);
  if (found === undefined) return undefined;
  const config = await log.topicConfig(topic);
  const keepsForEver = !(config['cleanup.policy'] ?? 'delete').includes('delete');
  const bounds = [
    keepsForEver ? -1 : Number(config['retention.ms'] ?? -1),
    Number(config['message.timestamp.before.max.ms'] ?? -1),
    Number(config['message.timestamp.difference.max.ms'] ?? -1),
  ].filter((ms) => Number.isFinite(ms) && ms >= 0);
  return {
    topic,
    partitions: found.partitions,
    maxBatchBytes: Number(config['max.message.bytes'] ?? defaultMaxMessageBytes),
    // Half of it, so that there is time to read it.
    oldestMs: bounds.length === 0 ? 0 : Date.now() - Math.min(...bounds) / 2,
  };
}
