/**
 * What has been encoded and not yet committed, where records and positions are written in transactions. Batches go
 * out while the next are filled; while a transaction commits, the next poll is already taken and encoded, and sent
 * once the commit has come back. Positions are the last thing in a transaction, so that their topic, which others
 * may share, is held up for no longer than the commit takes.
 * Source: org.apache.kafka.connect.runtime.ExactlyOnceWorkerSourceTask.
 */
import type { SourcePosition, SourceRecord } from '../api/index.ts';
import type { AppendedBatch, OutboundBatch } from '../ports/log.ts';
import { sleep } from './backoff.ts';
import { Gate } from './gate.ts';
import { nowhere, PositionTeller, tellRecords } from './source-acknowledgement.ts';
import type { PlacedRecord } from './source-acknowledgement.ts';
import { Breaker } from './source-breaker.ts';
import type { Outbox, SourceParts } from './source-parts.ts';
import { PositionTable } from './submitted-records.ts';
import { PositionCopier } from './transaction-copies.ts';
import { commitFailure, sendFailure } from './transaction-failure.ts';
import type { Transactions } from './transaction-parts.ts';
import type { Ending } from './transaction-requests.ts';

const inFlightLimit = 4;
/** What the task fails with is told by then, also where no broker answers. */
const giveUpMs = 5_000;
const inFlightBytesLimit = 6 * 1024 * 1024;

/** What the encoder held. */
interface Cut {
  readonly batches: readonly OutboundBatch[];
  readonly records: readonly PlacedRecord[];
  readonly count: number;
}

/** What ends with a transaction, taken before the next one begins to fill. */
interface Rest {
  readonly cut: Cut;
  readonly positions: readonly SourcePosition[];
  readonly size: number;
}

export class TransactionOutbox implements Outbox {
  readonly cutBytes = 640 * 1024;
  readonly recordTaken: Outbox['recordTaken'];
  readonly #parts: SourceParts;
  readonly #transactions: Transactions;
  readonly #breaker: Breaker;
  readonly #teller: PositionTeller;
  readonly #copier: PositionCopier;
  readonly #room = new Gate(true);
  readonly #positions = new PositionTable();
  readonly #appends = new Set<Promise<void>>();
  /** Since the last cut; kept only for a task that asks for `commitRecord`, as those below. */
  #records: PlacedRecord[] = [];
  /** Of the open transaction. */
  #sent: { readonly records: readonly PlacedRecord[]; readonly appended: readonly AppendedBatch[] }[] = [];
  /** Encoded since the last cut. */
  #pendingRecords = 0;
  #inFlightRecords = 0;
  #inFlightBytes = 0;
  /** Records of the transaction, those that are still being encoded included. */
  #size = 0;
  /** Something was appended since the last commit or abort. */
  #open = false;
  #ending: Promise<void> | undefined;
  /** Part of a poll is encoded, and part is not. */
  #busy = false;
  #due = false;
  #smallest = Infinity;

  constructor(parts: SourceParts, transactions: Transactions) {
    this.#parts = parts;
    this.#transactions = transactions;
    this.#breaker = new Breaker(() => this.#room.open());
    this.#teller = new PositionTeller(parts.task, parts.log);
    this.#copier = new PositionCopier(transactions.copy);
    const { afterRecord } = transactions.boundary;
    this.recordTaken =
      afterRecord === undefined
        ? undefined
        : (polled) => {
            const ending = afterRecord(polled);
            return ending === undefined ? undefined : this.#end(ending);
          };
  }

  unlessBroken<T>(work: Promise<T>): Promise<T> {
    return this.#breaker.unlessBroken(work);
  }

  encoded(polled: SourceRecord, sent: SourceRecord): void {
    this.#positions.set(polled.sourcePartition, polled.sourceOffset);
    this.#pendingRecords++;
    this.#size++;
    this.#busy = true;
    if (this.#parts.task.commitRecord === undefined) return;
    const { partition, index } = this.#parts.encoder.lastPlace;
    this.#records.push({ polled, topic: sent.topic, partition, index });
  }

  dropped(polled: SourceRecord): void {
    this.#positions.set(polled.sourcePartition, polled.sourceOffset);
    this.#busy = true;
    if (this.#parts.task.commitRecord !== undefined) this.#records.push(nowhere(polled));
  }

  moved({ partition, offset }: SourcePosition): void {
    this.#positions.set(partition, offset);
  }

  async pollEnded(): Promise<void> {
    this.#busy = false;
    if (this.#pendingRecords > 0) this.#countActive();
    const ending = this.#transactions.boundary.afterPoll({ records: this.#size, due: this.#due });
    if (ending !== undefined) await this.#end(ending);
  }

  async cut(): Promise<void> {
    await this.#ended();
    while (!this.#room.isOpen) await this.#room.passed();
    this.#breaker.throwIfBroken();
    this.#append(this.#takeCut());
  }

  async settle(last: boolean): Promise<void> {
    this.#busy = false;
    await this.#ended();
    this.#breaker.throwIfBroken();
    const ending = this.#transactions.boundary.last();
    if (ending !== undefined) await this.#end(ending);
    await this.#ended();
    this.#breaker.throwIfBroken();
    if (!last) return;
    await this.#abortOpen();
    await this.#copier.done();
  }

  async giveUp(): Promise<void> {
    // A producer that failed can do no more; one that did not need not hold up readers until its transaction expires.
    const saved = this.#ended().then(() => (this.#breaker.isBroken ? undefined : this.#abortOpen()));
    await unlessLate(saved, giveUpMs);
  }

  commitEvery(_intervalMs: number): { stop(): void } {
    const { everyMs } = this.#transactions.boundary;
    if (everyMs === undefined) return { stop() {} };
    const timer = setInterval(() => void this.#timeout().catch(() => undefined), everyMs);
    return { stop: () => clearInterval(timer) };
  }

  /** Between polls at once, else when the poll that is being taken has ended. */
  async #timeout(): Promise<void> {
    while (this.#ending !== undefined) await this.#ending;
    if (this.#busy) this.#due = true;
    else if (this.#size > 0 || !this.#positions.empty) this.#begin('commit');
  }

  async #end(ending: Ending): Promise<void> {
    while (this.#ending !== undefined) await this.#ending;
    this.#begin(ending);
  }

  /** Begins to end the transaction. What is encoded from now on belongs to the next. */
  #begin(ending: Ending): void {
    this.#breaker.throwIfBroken();
    const { figures, log } = this.#parts;
    const rest = { cut: this.#takeCut(), positions: this.#positions.take(), size: this.#size };
    this.#size = 0;
    this.#due = false;
    if (ending === 'abort' && rest.size === 0) {
      log.warn('Ignoring request by task to abort transaction as the current transaction is empty');
    }
    this.#ending = (ending === 'abort' ? this.#abort(rest) : this.#commit(rest))
      .catch((error: unknown) => {
        figures.add('offset-commit-failure-total');
        this.#breaker.fail(commitFailure(error, this.#transactions));
      })
      .finally(() => (this.#ending = undefined));
  }

  async #ended(): Promise<void> {
    while (this.#ending !== undefined) await this.#ending;
  }

  /** The records are gone; the positions are committed all the same, so that they do not come again. */
  async #abort({ cut: { batches, records, count }, positions }: Rest): Promise<void> {
    for (const { buffer } of batches) this.#parts.pool.give(buffer);
    this.#inFlightRecords -= count;
    await Promise.all(this.#appends);
    const discarded = [...this.#sent.flatMap((sent) => sent.records), ...records];
    await this.#abortOpen();
    await this.#commit({ cut: { batches: [], records: discarded, count: 0 }, positions, size: 0 });
  }

  async #abortOpen(): Promise<void> {
    if (!this.#open) return;
    await Promise.all(this.#appends);
    this.#breaker.throwIfBroken();
    await this.#transactions.producer.abortTransaction();
    this.#open = false;
    this.#sent = [];
  }

  async #commit({ cut, positions, size }: Rest): Promise<void> {
    const { figures, task } = this.#parts;
    const { producer } = this.#transactions;
    const startedMs = performance.now();
    const offsets = positions.length === 0 ? [] : await this.#transactions.offsetBatches(positions);
    this.#append({ ...cut, batches: [...cut.batches, ...offsets] });
    if (this.#open) {
      const committed = producer.commitTransaction();
      // The failure of an append says more than that of the commit after it.
      committed.catch(() => undefined);
      await Promise.all(this.#appends);
      this.#breaker.throwIfBroken();
      await committed;
      this.#open = false;
      this.#measure(size);
      figures.add('offset-commit-success-total');
      figures.observe('offset-commit', performance.now() - startedMs, '-time-ms');
    }
    for (const { records, appended } of this.#sent.splice(0)) tellRecords(task, records, appended);
    if (positions.length === 0) return;
    this.#teller.tell(positions);
    this.#copier.copy(positions);
  }

  #takeCut(): Cut {
    const cut = { batches: this.#parts.encoder.cut(), records: this.#records, count: this.#pendingRecords };
    this.#records = [];
    this.#pendingRecords = 0;
    this.#inFlightRecords += cut.count;
    return cut;
  }

  #append({ batches, records, count }: Cut): void {
    const { pool, figures } = this.#parts;
    if (batches.length === 0) {
      if (records.length > 0) this.#sent.push({ records, appended: [] });
      return;
    }
    this.#open = true;
    const bytes = batches.reduce((sum, { length }) => sum + length, 0);
    this.#inFlightBytes += bytes;
    figures.observe('source-record-active-count', this.#inFlightRecords);
    const append = this.#transactions.producer
      .append(batches)
      .then(
        (appended) => {
          for (const { buffer } of appended) pool.give(buffer);
          figures.add('source-record-write-total', count);
          if (records.length > 0) this.#sent.push({ records, appended });
        },
        (error: unknown) => this.#breaker.fail(sendFailure(error, this.#transactions)),
      )
      .finally(() => {
        this.#appends.delete(append);
        this.#inFlightBytes -= bytes;
        this.#inFlightRecords -= count;
        this.#countActive();
        this.#room.open();
      });
    this.#appends.add(append);
    if (this.#appends.size >= inFlightLimit || this.#inFlightBytes >= inFlightBytesLimit) this.#room.close();
    this.#countActive();
  }

  /** Records that were polled and are not in the log yet. */
  #countActive(): void {
    this.#parts.figures.set('source-record-active-count', this.#inFlightRecords + this.#pendingRecords);
  }

  #measure(size: number): void {
    const { figures } = this.#parts;
    this.#smallest = Math.min(this.#smallest, size);
    figures.set('transaction-size-min', this.#smallest);
    figures.observe('transaction-size', size);
  }
}

/** Resolves when the work is done, has failed or takes too long. */
async function unlessLate(work: Promise<unknown>, ms: number): Promise<void> {
  const done = new AbortController();
  await Promise.race([work.catch(() => undefined), sleep(ms, done.signal)]);
  done.abort();
}
