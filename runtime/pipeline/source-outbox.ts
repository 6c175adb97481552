/**
 * What has been encoded and not yet acknowledged. It sends a batch when enough bytes are together or nothing is
 * in flight, so that a busy source makes large batches and a quiet one does not wait; and it commits the
 * positions of what the log holds.
 */
import { ConnectError } from '../api/index.ts';
import type { SourcePosition, SourceRecord } from '../api/index.ts';
import type { AppendedBatch } from '../ports/log.ts';
import { Gate } from './gate.ts';
import type { SourceParts } from './source-parts.ts';
import { PositionTable, SubmittedRecords } from './submitted-records.ts';

/** A record that was polled, and where in which batch it stands; partition -1: nowhere. */
interface Placed {
  readonly polled: SourceRecord;
  readonly topic: string;
  readonly partition: number;
  readonly index: number;
}

const cutBytes = 640 * 1024;
const inFlightLimit = 4;
const inFlightBytesLimit = 6 * 1024 * 1024;

export class SourceOutbox {
  readonly cutBytes = cutBytes;
  readonly #parts: SourceParts;
  readonly #submitted = new SubmittedRecords();
  readonly #positions = new PositionTable();
  readonly #room = new Gate(true);
  #onBroken: ((error: Error) => void) | undefined;
  #failure: Error | undefined;
  #inFlightBytes = 0;
  /** Encoded since the last cut. */
  #pendingRecords = 0;
  /** Cut, and not yet acknowledged. */
  #inFlightRecords = 0;
  /** Records since the last cut, kept only for a task that asks for `commitRecord`. */
  #records: Placed[] = [];
  #idle: (() => void)[] = [];
  #committing: Promise<void> | undefined;
  /** The source has not been told of these yet. */
  #committed = new PositionTable();
  #busy = false;

  constructor(parts: SourceParts) {
    this.#parts = parts;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#room.open();
    for (const resolve of this.#idle.splice(0)) resolve();
    this.#onBroken?.(error);
  }

  /**
   * What `work` resolves with, unless the outbox breaks meanwhile (the log has refused a batch, or positions
   * cannot be stored): then it rejects with the reason. Not `Promise.race` against one lasting promise, which
   * would keep the result of every race.
   */
  unlessBroken<T>(work: Promise<T>): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise<T>((resolve, reject) => {
      this.#onBroken = reject;
      work.then(resolve, reject).finally(() => (this.#onBroken = undefined));
    });
  }

  /** A record that the encoder has just put into a batch. */
  encoded(polled: SourceRecord, sent: SourceRecord): void {
    this.#positions.set(polled.sourcePartition, polled.sourceOffset);
    this.#pendingRecords++;
    this.#busy = true;
    if (this.#parts.task.commitRecord !== undefined) {
      const { partition, index } = this.#parts.encoder.lastPlace;
      this.#records.push({ polled, topic: sent.topic, partition, index });
    }
  }

  /** A record that goes nowhere: its position counts all the same. */
  dropped(polled: SourceRecord): void {
    this.#positions.set(polled.sourcePartition, polled.sourceOffset);
    if (this.#parts.task.commitRecord !== undefined) {
      this.#records.push({ polled, topic: '', partition: -1, index: -1 });
    }
  }

  /** Called between polls: a quiet source's records go at once, a busy one's when the log has answered. */
  async pollEnded(): Promise<void> {
    this.#busy = false;
    if (this.#submitted.inFlight === 0) await this.cut();
  }

  /** Sends what is together. Waits while too much is in flight: that is the back-pressure. */
  async cut(): Promise<void> {
    while (!this.#room.isOpen) await this.#room.passed();
    if (this.#failure !== undefined) throw this.#failure;
    this.#send();
  }

  #send(): void {
    const { encoder, positions, producer, figures } = this.#parts;
    if (this.#positions.empty) return;
    const taken = this.#positions.take();
    const batches = encoder.cut();
    const records = this.#records;
    const count = this.#pendingRecords;
    this.#records = [];
    this.#pendingRecords = 0;
    const submission = this.#submitted.submit(taken);
    const atomic = positions.atomic?.(taken) ?? [];
    if (batches.length + atomic.length === 0) return this.#acknowledged(submission, records, []);
    this.#inFlightRecords += count;
    figures.observe('source-record-active-count', this.#inFlightRecords);
    const bytes = batches.reduce((sum, { length }) => sum + length, 0);
    this.#inFlightBytes += bytes;
    if (this.#submitted.inFlight >= inFlightLimit || this.#inFlightBytes >= inFlightBytesLimit) this.#room.close();
    this.#countActive();
    producer.append([...batches, ...atomic]).then(
      (appended) => {
        this.#inFlightBytes -= bytes;
        for (const { buffer } of appended) this.#parts.pool.give(buffer);
        figures.add('source-record-write-total', count);
        this.#inFlightRecords -= count;
        this.#countActive();
        this.#acknowledged(submission, records, appended);
      },
      (error: unknown) => this.#fail(new ConnectError(`the log did not take the records: ${messageOf(error)}`, { cause: error })),
    );
  }

  /** Records that were polled and are not in the log yet. */
  #countActive(): void {
    this.#parts.figures.set('source-record-active-count', this.#inFlightRecords + this.#pendingRecords);
  }

  #acknowledged(submission: ReturnType<SubmittedRecords['submit']>, records: readonly Placed[], appended: readonly AppendedBatch[]): void {
    this.#submitted.acknowledge(submission);
    this.#room.open();
    if (records.length > 0) this.#tellRecords(records, appended);
    if (this.#parts.positions.atomic !== undefined) this.#tell(this.#submitted.takeSafe());
    if (this.#submitted.inFlight > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
    // The source waits in its poll: nobody else would send what came while the last batch was in flight.
    if (!this.#busy && !this.#positions.empty && this.#failure === undefined) this.#send();
  }

  #tellRecords(records: readonly Placed[], appended: readonly AppendedBatch[]): void {
    const offsets = new Map(appended.map(({ topic, partition, baseOffset }) => [`${topic}-${partition}`, baseOffset]));
    for (const { polled, topic, partition, index } of records) {
      const baseOffset = offsets.get(`${topic}-${partition}`);
      this.#parts.task.commitRecord?.(polled, baseOffset === undefined ? null : { topic, partition, offset: baseOffset + BigInt(index) });
    }
  }

  /** Resolves once nothing is pending or in flight. Throws what broke the outbox. */
  async drain(): Promise<void> {
    this.#busy = false;
    await this.cut();
    while (this.#submitted.inFlight > 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Stores the safe positions, then tells the source. Calls that overlap share one commit. */
  commit(): Promise<void> {
    this.#committing ??= this.#commit().finally(() => (this.#committing = undefined));
    return this.#committing;
  }

  async #commit(): Promise<void> {
    const safe = this.#submitted.takeSafe();
    const { positions, figures } = this.#parts;
    if (safe.length === 0) return;
    const startedMs = performance.now();
    try {
      await positions.write(safe);
      figures.add('offset-commit-success-total');
    } catch (error) {
      figures.add('offset-commit-failure-total');
      this.#fail(new ConnectError(`the offsets could not be stored: ${messageOf(error)}`, { cause: error }));
      throw error;
    }
    figures.observe('offset-commit', performance.now() - startedMs, '-time-ms');
    this.#tell(safe);
  }

  #telling = false;

  #tell(safe: readonly SourcePosition[]): void {
    if (this.#parts.task.committed === undefined) return;
    for (const { partition, offset } of safe) this.#committed.set(partition, offset);
    if (this.#telling || this.#committed.empty) return;
    this.#telling = true;
    void (async () => {
      try {
        while (!this.#committed.empty) await this.#parts.task.committed?.(this.#committed.take());
      } catch (error) {
        this.#parts.log.warn(`the source could not note what is committed: ${messageOf(error)}`);
      } finally {
        this.#telling = false;
      }
    })();
  }

  /** Commits on a timer, positions without records too. */
  commitEvery(intervalMs: number): { stop(): void } {
    const timer = setInterval(() => {
      this.commit().catch(() => undefined);
    }, intervalMs);
    return { stop: () => clearInterval(timer) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
