import type { AppendedBatch, OutboundBatch } from '../ports/log.ts';

/** One call of `append`: settled when its last batch is. */
export interface AppendCall {
  outstanding: number;
  readonly appended: AppendedBatch[];
  resolve(appended: readonly AppendedBatch[]): void;
  reject(error: Error): void;
}

/** A batch on its way. */
export interface Outgoing {
  readonly batch: OutboundBatch;
  readonly bytes: Buffer;
  readonly call: AppendCall;
  readonly index: number;
  readonly since: number;
  /** -1 until it is first sent; kept over all repeats, so that the broker can tell a repeat. */
  sequence: number;
  /** Sent once without an answer: it may be in the log already. */
  uncertain: boolean;
}

const sequenceLimit = 2_147_483_648;
const provenForMs = 60_000;

/**
 * What one partition still has to take, in order. After a failure nothing is sent until every batch in flight is
 * answered; then all that are left go again, in the same order, under the same sequence numbers (KIP-98).
 */
export class ProducerPartition {
  readonly topic: string;
  readonly partition: number;
  /** The cluster has no such topic or partition, since then. */
  missingSince: number | undefined;
  /** Not before then. */
  retryAt = 0;
  failures = 0;
  #waiting: Outgoing[] = [];
  #inFlight: Outgoing[] = [];
  #returned: Outgoing[] = [];
  #nextSequence = 0;
  /** When the broker last acknowledged a batch. */
  #provenAt = -Infinity;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get idle(): boolean {
    return this.#waiting.length + this.#inFlight.length + this.#returned.length === 0;
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  push(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
  }

  /**
   * The batch to be sent next, if one may be sent now. A broker that knows nothing of this producer takes any
   * sequence number as the first (KIP-360): a second batch goes out beside the first only while the broker is known
   * to hold our numbers, or it could overtake a first one that failed.
   */
  next(now: number): Outgoing | undefined {
    if (this.#returned.length > 0 || now < this.retryAt) return undefined;
    if (this.#inFlight.length > 0 && now - this.#provenAt > provenForMs) return undefined;
    return this.#waiting[0];
  }

  /** Takes the one that `next` gave. `stamp` is called when it has no sequence number yet. */
  take(stamp: (outgoing: Outgoing) => void): void {
    const outgoing = this.#waiting.shift() as Outgoing;
    if (outgoing.sequence < 0) {
      outgoing.sequence = this.#nextSequence;
      this.#nextSequence = (this.#nextSequence + outgoing.batch.records) % sequenceLimit;
      stamp(outgoing);
    }
    this.#inFlight.push(outgoing);
  }

  /** False when it overtook one that failed: the order is lost. */
  acknowledged(outgoing: Outgoing): boolean {
    this.#inFlight.splice(this.#inFlight.indexOf(outgoing), 1);
    const overtaken = this.#returned.some((earlier) => !earlier.uncertain && bySequence(earlier, outgoing) < 0);
    if (this.#returned.length === 0) {
      this.failures = 0;
      this.#provenAt = Date.now();
    }
    this.#settle();
    return !overtaken;
  }

  /** Whether batches before this one are without an answer, or failed: then its sequence number is not at fault. */
  followsUnsettled(outgoing: Outgoing): boolean {
    return this.#returned.length > 0 || this.#inFlight[0] !== outgoing;
  }

  /** It is to be sent again, when all in flight are answered and `retryAt` is past. */
  failed(outgoing: Outgoing): void {
    if (this.#returned.length === 0) this.failures++;
    this.#provenAt = -Infinity;
    this.#inFlight.splice(this.#inFlight.indexOf(outgoing), 1);
    this.#returned.push(outgoing);
    this.#settle();
  }

  #settle(): void {
    if (this.#returned.length === 0 || this.#inFlight.length > 0) return;
    // Answers come in any order when a connection broke; what was first given is sent first.
    this.#waiting = [...this.#returned.toSorted(bySequence), ...this.#waiting];
    this.#returned = [];
  }

  /** Forgets all sequence numbers, for a new producer id; nothing may be in flight. */
  restart(): void {
    this.#nextSequence = 0;
    this.#provenAt = -Infinity;
    for (const outgoing of this.#waiting) {
      outgoing.sequence = -1;
      outgoing.uncertain = false;
    }
  }

  /** The broker expects an earlier sequence number than the first of ours: none of these is in its log. */
  foundMissing(): void {
    for (const outgoing of this.outgoing()) outgoing.uncertain = false;
  }

  get uncertain(): boolean {
    return this.#waiting.some(({ uncertain }) => uncertain);
  }

  *outgoing(): Generator<Outgoing> {
    yield* this.#inFlight;
    yield* this.#returned;
    yield* this.#waiting;
  }
}

/** Sequence numbers start again at 0 after 2^31 - 1; of those at hand none is half of that apart. */
function bySequence(a: Outgoing, b: Outgoing): number {
  const distance = a.sequence - b.sequence;
  return Math.abs(distance) > sequenceLimit / 2 ? -distance : distance;
}
