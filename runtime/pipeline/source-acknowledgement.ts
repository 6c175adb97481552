/** What a source is told, once the log has its records. */
import type { Logger, SourcePosition, SourceRecord, SourceTask } from '../api/index.ts';
import type { AppendedBatch } from '../ports/log.ts';
import { PositionTable } from './submitted-records.ts';

/** A record that was polled, and where in which batch it stands; partition -1: nowhere. */
export interface PlacedRecord {
  readonly polled: SourceRecord;
  readonly topic: string;
  readonly partition: number;
  readonly index: number;
}

/** A record that goes nowhere. */
export const nowhere = (polled: SourceRecord): PlacedRecord => ({ polled, topic: '', partition: -1, index: -1 });

/** Tells the source of each record, with null for those that are in none of the batches. */
export function tellRecords(task: SourceTask, records: readonly PlacedRecord[], appended: readonly AppendedBatch[]): void {
  if (records.length === 0) return;
  const offsets = new Map(appended.map(({ topic, partition, baseOffset }) => [`${topic}-${partition}`, baseOffset]));
  for (const { polled, topic, partition, index } of records) {
    const baseOffset = offsets.get(`${topic}-${partition}`);
    task.commitRecord?.(polled, baseOffset === undefined ? null : { topic, partition, offset: baseOffset + BigInt(index) });
  }
}

/** Tells the source of committed positions: one call at a time, the newest of each source partition. */
export class PositionTeller {
  readonly #task: SourceTask;
  readonly #log: Logger;
  #untold = new PositionTable();
  #telling = false;

  constructor(task: SourceTask, log: Logger) {
    this.#task = task;
    this.#log = log;
  }

  tell(positions: readonly SourcePosition[]): void {
    if (this.#task.committed === undefined) return;
    for (const { partition, offset } of positions) this.#untold.set(partition, offset);
    if (this.#telling || this.#untold.empty) return;
    this.#telling = true;
    void this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    try {
      while (!this.#untold.empty) await this.#task.committed?.(this.#untold.take());
    } catch (error) {
      this.#log.warn(`the source could not note what is committed: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#telling = false;
    }
  }
}
