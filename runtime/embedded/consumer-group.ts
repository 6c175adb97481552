import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import { assignRange } from './range-assignor.ts';
import type { Subscriber } from './range-assignor.ts';

/** How the group sees one of its members. */
export interface GroupMember extends Subscriber {
  readonly rebalanceTimeoutMs: number;
  /**
   * Asks for its partitions back. True: it has none that it knows of. False: it will call `rejoin` once it
   * has let go.
   */
  letGo(): boolean;
  /** Gives it partitions. */
  take(partitions: readonly TopicPartition[]): void;
  /** It kept the others waiting for too long, and is no member any more. */
  expel(): void;
}

export interface GroupTopics {
  topics(): Iterable<{ readonly name: string; readonly partitions: { readonly length: number } }>;
}

/**
 * One consumer group in this process, with Kafka's eager protocol: on a change everybody lets go of everything,
 * then all get new shares. Who does not let go within the rebalance timeout is out.
 */
export class ConsumerGroup {
  readonly #catalog: GroupTopics;
  readonly #members: GroupMember[] = [];
  readonly #waitingFor = new Set<GroupMember>();
  #rebalancing = false;
  #timer: NodeJS.Timeout | undefined;
  /** What was shared out last: topics and their partition counts. */
  #shared = '';

  constructor(catalog: GroupTopics) {
    this.#catalog = catalog;
  }

  get size(): number {
    return this.#members.length;
  }

  get rebalancing(): boolean {
    return this.#rebalancing;
  }

  join(member: GroupMember): void {
    this.#members.push(member);
    this.#rebalance();
  }

  leave(member: GroupMember): void {
    const index = this.#members.indexOf(member);
    if (index < 0) return;
    this.#members.splice(index, 1);
    this.#waitingFor.delete(member);
    this.#rebalance();
  }

  /** The member has let go. */
  rejoin(member: GroupMember): void {
    if (this.#waitingFor.delete(member)) this.#shareOut();
  }

  /** Topics came or went: shares anew where a member is concerned. */
  topicsChanged(): void {
    if (this.#members.length > 0 && this.#wanted() !== this.#shared) this.#rebalance();
  }

  #wanted(): string {
    const names: string[] = [];
    for (const { name, partitions } of this.#catalog.topics()) {
      if (this.#members.some((member) => member.wants(name))) names.push(`${name}:${partitions.length}`);
    }
    return names.toSorted().join();
  }

  #rebalance(): void {
    this.#rebalancing = true;
    for (const member of this.#members) {
      if (!this.#waitingFor.has(member) && !member.letGo()) this.#waitingFor.add(member);
    }
    if (this.#waitingFor.size > 0 && this.#timer === undefined) {
      const timeoutMs = Math.max(...this.#members.map((member) => member.rebalanceTimeoutMs));
      this.#timer = setTimeout(() => this.#expelLate(), Math.min(timeoutMs, 0x7fffffff));
    }
    this.#shareOut();
  }

  #expelLate(): void {
    this.#timer = undefined;
    for (const member of this.#waitingFor) {
      this.#members.splice(this.#members.indexOf(member), 1);
      member.expel();
    }
    this.#waitingFor.clear();
    this.#shareOut();
  }

  #shareOut(): void {
    if (this.#waitingFor.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#rebalancing = false;
    this.#shared = this.#wanted();
    for (const [member, partitions] of assignRange(this.#members, this.#catalog.topics())) member.take(partitions);
  }
}

/** Where a group goes on: what it committed, else what the reset policy says. */
export type StartOf = (partition: TopicPartition) => PartitionOffset;
