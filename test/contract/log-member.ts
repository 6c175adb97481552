import { setTimeout as sleep } from 'node:timers/promises';

import type { PartitionOffset } from '../../runtime/api/index.ts';
import type { GroupOptions, Log, LogGroup } from '../../runtime/ports/log.ts';
import { partitionName, recordsOf } from './log-fixture.ts';
import type { ReadTextRecord } from './log-fixture.ts';

/** A group member that polls for ever, as a sink task does: notes what comes, and commits it when partitions go. */
export interface Member extends AsyncDisposable {
  readonly group: LogGroup;
  readonly records: readonly ReadTextRecord[];
  /** Every event but idle, such as `assigned topic/0=5` or `records topic/0`. */
  readonly events: readonly string[];
  /** Sorted `topic/partition`. */
  assignment(): string[];
  /** Where it would commit each of its partitions. */
  positions(): PartitionOffset[];
  commit(): Promise<void>;
  /** What ended the loop, if anything did. */
  failure(): unknown;
}

export interface MemberOptions {
  readonly commitOnRevoke?: boolean;
  readonly overrides?: Readonly<Record<string, string>>;
}

export async function joinGroup(log: Log, groupId: string, topics: GroupOptions['topics'], options: MemberOptions = {}): Promise<Member> {
  const { commitOnRevoke = true, overrides = {} } = options;
  const group = await log.openGroup({ clientId: 'contract-member', groupId, topics, overrides });
  const positions = new Map<string, PartitionOffset>();
  const records: ReadTextRecord[] = [];
  const events: string[] = [];
  const stop = new AbortController();
  let failure: unknown;
  const commit = () => group.commit([...positions.values()]);

  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      const event = await group.poll({ maxWaitMs: 200, maxBytes: 1 << 20 }, stop.signal);
      switch (event.kind) {
        case 'records':
          records.push(...recordsOf(event.runs));
          for (const run of event.runs) {
            positions.set(partitionName(run), { topic: run.topic, partition: run.partition, offset: run.nextPosition });
            events.push(`records ${partitionName(run)}`);
          }
          break;
        case 'assigned':
          for (const each of event.partitions) positions.set(partitionName(each), each);
          events.push(`assigned ${event.partitions.map((each) => `${partitionName(each)}=${each.offset}`).join(' ')}`);
          break;
        case 'revoked':
        case 'lost':
          if (event.kind === 'revoked' && commitOnRevoke) await commit();
          for (const each of event.partitions) positions.delete(partitionName(each));
          events.push(`${event.kind} ${event.partitions.map(partitionName).join(' ')}`);
          break;
        case 'idle':
          // A log that answers idle at once must not starve the test.
          await sleep(0);
      }
    }
  }
  const looping = loop().catch((error: unknown) => {
    if (!stop.signal.aborted) failure = error;
  });

  return {
    group,
    records,
    events,
    assignment: () => [...positions.keys()].toSorted(),
    positions: () => [...positions.values()],
    commit,
    failure: () => failure,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await looping;
      await group[Symbol.asyncDispose]();
    },
  };
}
