/**
 * What has been encoded and not yet acknowledged. It sends a batch when enough bytes are together or nothing is
 * in flight, so that a busy source makes large batches and a quiet one does not wait; and it commits the
 * positions of what the log holds.
 */
import { ConnectError } from '../api/index.ts';
import type { SourcePosition, SourceRecord } from '../api/index.ts';
import type { AppendedBatch } from '../ports/log.ts';
import { Gate } from './gate.ts';
import { nowhere, PositionTeller, tellRecords } from './source-acknowledgement.ts';
import type { PlacedRecord } from './source-acknowledgement.ts';
import { Breaker } from './source-breaker.ts';
import type { Outbox, SourceParts } from './source-parts.ts';
import { PositionTable, SubmittedRecords } from './submitted-records.ts';

const cutBytes = 640 * 1024;
const inFlightLimit = 4;
const inFlightBytesLimit = 6 * 1024 * 1024;

export class SourceOutbox implements Outbox {
  readonly cutBytes = cutBytes;
  readonly #parts: SourceParts;
  readonly #submitted = new SubmittedRecords();
  readonly #positions = new PositionTable();
  readonly #room = new Gate(true);
  readonly #breaker = new Breaker(() => this.#letGo());
  readonly #teller: PositionTeller;
  #inFlightBytes = 0;
  /** Encoded since the last cut. */
  #pendingRecords = 0;
  /** Cut, and not yet acknowledged. */
  #inFlightRecords = 0;
  /** Records since the last cut, kept only for a task that asks for `commitRecord`. */
  #records: PlacedRecord[] = [];
  #idle: (() => void)[] = [];
  #committing: Promise<void> | undefined;
  #busy = false;

  constructor(parts: SourceParts) {
    this.#parts = parts;
    this.#teller = new PositionTeller(parts.task, parts.log);
  }

  #letGo(): void {
    this.#room.open();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  unlessBroken<T>(work: Promise<T>): Promise<T> {
    return this.#breaker.unlessBroken(work);
  }

  encoded(polled: SourceRecord, sent: SourceRecord): void {
    this.#positions.set(polled.sourcePartition, polled.sourceOffset);
    this.#pendingRecords++;
    this.#busy = true;
    if (this.#parts.task.commitRecord !== undefined) {
      const { partition, index } = this.#parts.encoder.lastPlace;
      this.#records.push({ polled, topic: sent.topic, partition, index });
    }
  }

  dropped(polled: SourceRecord): void {
    this.#positions.set(polled.sourcePartition, polled.sourceOffset);
    if (this.#parts.task.commitRecord !== undefined) {
      this.#records.push(nowhere(polled));
    }
  }

  moved({ partition, offset }: SourcePosition): void {
    this.#positions.set(partition, offset);
  }

  /** Called between polls: a quiet source's records go at once, a busy one's when the log has answered. */
  async pollEnded(): Promise<void> {
    this.#busy = false;
    if (this.#submitted.inFlight === 0) await this.cut();
  }

  async cut(): Promise<void> {
    while (!this.#room.isOpen) await this.#room.passed();
    this.#breaker.throwIfBroken();
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
      (error: unknown) => this.#breaker.fail(new ConnectError(`the log did not take the records: ${messageOf(error)}`, { cause: error })),
    );
  }

  /** Records that were polled and are not in the log yet. */
  #countActive(): void {
    this.#parts.figures.set('source-record-active-count', this.#inFlightRecords + this.#pendingRecords);
  }

  #acknowledged(
    submission: ReturnType<SubmittedRecords['submit']>,
    records: readonly PlacedRecord[],
    appended: readonly AppendedBatch[],
  ): void {
    this.#submitted.acknowledge(submission);
    this.#room.open();
    tellRecords(this.#parts.task, records, appended);
    if (this.#parts.positions.atomic !== undefined) this.#teller.tell(this.#submitted.takeSafe());
    if (this.#submitted.inFlight > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
    // The source waits in its poll: nobody else would send what came while the last batch was in flight.
    if (!this.#busy && !this.#positions.empty && !this.#breaker.isBroken) this.#send();
  }

  async settle(): Promise<void> {
    await this.#drain();
    await this.#commit();
  }

  async giveUp(): Promise<void> {
    // What the log holds already need not come again after a restart.
    await this.#commit().catch(() => undefined);
  }

  /** Resolves once nothing is pending or in flight. Throws what broke the outbox. */
  async #drain(): Promise<void> {
    this.#busy = false;
    await this.cut();
    while (this.#submitted.inFlight > 0 && !this.#breaker.isBroken) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    this.#breaker.throwIfBroken();
  }

  /** Stores the safe positions, then tells the source. Calls that overlap share one commit. */
  #commit(): Promise<void> {
    this.#committing ??= this.#commitSafe().finally(() => (this.#committing = undefined));
    return this.#committing;
  }

  async #commitSafe(): Promise<void> {
    const safe = this.#submitted.takeSafe();
    const { positions, figures } = this.#parts;
    if (safe.length === 0) return;
    const startedMs = performance.now();
    try {
      await positions.write(safe);
      figures.add('offset-commit-success-total');
    } catch (error) {
      figures.add('offset-commit-failure-total');
      this.#breaker.fail(new ConnectError(`the offsets could not be stored: ${messageOf(error)}`, { cause: error }));
      throw error;
    }
    figures.observe('offset-commit', performance.now() - startedMs, '-time-ms');
    this.#teller.tell(safe);
  }

  commitEvery(intervalMs: number): { stop(): void } {
    const timer = setInterval(() => {
      this.#commit().catch(() => undefined);
    }, intervalMs);
    return { stop: () => clearInterval(timer) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
