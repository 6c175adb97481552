/** Which letters are superseded: a later record of the same key stands in the partition that they came from. */
import { hash } from 'node:crypto';
import type { RecordPlace } from '../api/index.ts';
import type { Log } from '../ports/log.ts';
import { scanPartition } from './topic-scan.ts';

export interface Suspect {
  readonly origin: RecordPlace;
  /** Of {@link keyId}. */
  readonly key: string;
}

/** Longer keys are known by their hash, so that many of them take little memory. */
const longestKey = 64;

export const keyId = (key: Buffer): string => (key.length <= longestKey ? key.toString('latin1') : `#${hash('sha256', key, 'base64')}`);

/** The last record of the key behind the suspect, where there is one. */
export type Overtaker = (suspect: Suspect) => RecordPlace | undefined;

/**
 * Reads each partition once, from behind the first of its suspects to its end, whatever their number; what is kept in memory
 * is their keys. A letter whose offset the partition does not have yet is of a topic that was made anew: there any record counts.
 */
export async function findOvertakers(log: Log, clientId: string, suspects: readonly Suspect[], signal: AbortSignal): Promise<Overtaker> {
  const byPartition = Map.groupBy(suspects, ({ origin }) => `${origin.partition}/${origin.topic}`);
  const topics = await log.describeTopics([...new Set(suspects.map(({ origin }) => origin.topic))]);
  const overtakers = new Map<string, (suspect: Suspect) => bigint | undefined>();
  for (const [name, group] of byPartition) {
    const { topic, partition } = (group[0] as Suspect).origin;
    if (partition >= (topics.find((each) => each.name === topic)?.partitions ?? 0)) continue;
    overtakers.set(name, await inPartition(log, clientId, { topic, partition }, group, signal));
  }
  return (suspect) => {
    const { topic, partition } = suspect.origin;
    const offset = overtakers.get(`${partition}/${topic}`)?.(suspect);
    return offset === undefined ? undefined : { topic, partition, offset };
  };
}

async function inPartition(
  log: Log,
  clientId: string,
  place: { readonly topic: string; readonly partition: number },
  group: readonly Suspect[],
  signal: AbortSignal,
): Promise<(suspect: Suspect) => bigint | undefined> {
  const end = (await log.offsetsAt([place], 'latest'))[0]?.offset ?? 0n;
  const standsAt = ({ origin }: Suspect): bigint => (origin.offset >= end ? -1n : origin.offset);
  /** By key, the last suspect that no later record was found of yet. */
  const open = new Map<string, bigint>();
  for (const suspect of group) {
    const at = standsAt(suspect);
    if (at > (open.get(suspect.key) ?? -2n)) open.set(suspect.key, at);
  }
  const keys = new Set(open.keys());
  const from = group.map(standsAt).reduce((least, each) => (each < least ? each : least)) + 1n;
  const latest = new Map<string, bigint>();
  for await (const { key, offset } of scanPartition(log, clientId, place, { from }, signal)) {
    if (key === null) continue;
    const id = keyId(key);
    if (!keys.has(id)) continue;
    latest.set(id, offset);
    if (offset > (open.get(id) ?? offset)) open.delete(id);
    if (open.size === 0) break;
  }
  return (suspect) => {
    const last = latest.get(suspect.key);
    return last !== undefined && last > standsAt(suspect) ? last : undefined;
  };
}
