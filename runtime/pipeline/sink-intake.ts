import type { PartitionOffset, SinkRecord, TopicPartition, Transform } from '../api/index.ts';
import type { RecordReader } from '../batch/record-reader.ts';
import type { FetchedRun } from '../ports/log.ts';
import { PartitionTable } from './partition-table.ts';
import { readerOf } from './sink-decoder.ts';
import type { SinkDecoder } from './sink-decoder.ts';

/** `from` is where the record was read, `offset` what it had there: transforms may have renamed its topic. */
export interface Waiting {
  readonly record: SinkRecord;
  readonly from: TopicPartition;
  readonly offset: bigint;
}

interface OpenRun {
  readonly run: FetchedRun;
  readonly reader: RecordReader;
}

/** So many are decoded between two looks whether that is enough: most of them pass the transforms. */
const portion = 500;

/**
 * What a sink was given by its group and has not put: runs of bytes, and the records of the next put. Only those are
 * decoded, so that few live at a time: a whole fetch of them would be copied about by the garbage collector.
 */
export class SinkIntake {
  readonly #decoder: SinkDecoder;
  readonly #chain: Transform | undefined;
  /** Hears how many records were decoded. */
  readonly #read: (topic: string, records: number) => void;
  #runs: OpenRun[] = [];
  #waiting: Waiting[] = [];
  /** Where partitions are read on once all that is decoded of them is put. */
  readonly #decoded = new PartitionTable<bigint>();

  constructor(decoder: SinkDecoder, chain: Transform | undefined, read: (topic: string, records: number) => void) {
    this.#decoder = decoder;
    this.#chain = chain;
    this.#read = read;
  }

  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#runs.length === 0;
  }

  add(run: FetchedRun): void {
    this.#runs.push({ run, reader: readerOf(run) });
  }

  /** Decodes until so many records wait, or nothing is left. Throws what the error policy does not tolerate. */
  async fill(most: number, signal: AbortSignal): Promise<void> {
    while (this.#waiting.length < most) {
      const [open] = this.#runs;
      if (open === undefined) return;
      const { run, reader } = open;
      const records = this.#decoder.decode(run, reader, Math.min(portion, most - this.#waiting.length));
      if (records.length > 0) this.#read(run.topic, records.length);
      for (const record of records) {
        let mapped = this.#chain === undefined ? record : this.#decoder.transformed(record, this.#chain, signal);
        if (mapped instanceof Promise) mapped = await mapped;
        if (mapped !== null) this.#waiting.push({ record: mapped, from: run, offset: record.offset });
      }
      if (records.length > 0) continue;
      this.#decoded.set(run, run.nextPosition);
      this.#runs.shift();
    }
  }

  /** The records that wait were put. */
  done(): void {
    this.#waiting = [];
  }

  /** Where partitions stand that were read to the end of a run; each is told once. Only while nothing waits. */
  ends(): PartitionOffset[] {
    const ends = [...this.#decoded].map(([{ topic, partition }, offset]) => ({ topic, partition, offset }));
    for (const end of ends) this.#decoded.delete(end);
    return ends;
  }

  /** Forgets what there is of these partitions, or what of it is not decoded. Returns where to read on to get it again. */
  drop(partitions: readonly TopicPartition[], onlyRuns = false): PartitionOffset[] {
    const among = new PartitionTable<true>();
    for (const partition of partitions) {
      among.set(partition, true);
      if (!onlyRuns) this.#decoded.delete(partition);
    }
    const first = new PartitionTable<bigint>();
    const keep = (from: TopicPartition, offset: bigint): boolean => {
      if (!among.has(from)) return true;
      if (!first.has(from)) first.set(from, offset);
      return false;
    };
    if (!onlyRuns) this.#waiting = this.#waiting.filter(({ from, offset }) => keep(from, offset));
    this.#runs = this.#runs.filter(({ run, reader }) => keep(run, reader.position));
    return [...first].map(([{ topic, partition }, offset]) => ({ topic, partition, offset }));
  }
}
