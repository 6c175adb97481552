import { noHeaders } from '../api/index.ts';
import type { Converter, Header, HeaderConverter, SerializedForm, SinkRecord, TopicPartition, Transform } from '../api/index.ts';
import { RecordReader } from '../batch/record-reader.ts';
import type { RawHeader, RawRecord } from '../batch/record-reader.ts';
import { firstPlaceOf, resubmittedHeaders } from '../ports/dead-letters.ts';
import type { FetchedRun } from '../ports/log.ts';
import type { ErrorPolicy, SinkPlace } from './error-policy.ts';
import { originalOf, withOriginal } from './original-record.ts';
import { StageError } from './stage-error.ts';
import type { Stage } from './stage-error.ts';

export interface DecoderParts {
  readonly keyConverter: Converter;
  readonly valueConverter: Converter;
  readonly headerConverter: HeaderConverter;
  /** The JVM classes that they stand in for. */
  readonly converterClasses: { readonly key: string; readonly value: string; readonly header: string };
  /** Values may be left in their bytes where the sink writes just these. Not where transforms are to see them. */
  readonly serialized?: SerializedForm | undefined;
  readonly errors: ErrorPolicy;
  /** Records keep the one that they were made from, for dead letters. */
  readonly traced: boolean;
  /** Dead letters come through it again, with where they stood first in their headers. */
  readonly resubmissionTopic?: string | undefined;
}

/** Bytes from the log into sink records; a record that a converter refuses goes to the error policy. */
export class SinkDecoder {
  readonly #parts: DecoderParts;

  constructor(parts: DecoderParts) {
    this.#parts = parts;
  }

  /** The next so many records of a run; fewer where converters refuse some, none at its end. `reader` stands in that run. */
  decode(run: FetchedRun, reader: RecordReader = readerOf(run), most: number = Infinity): SinkRecord[] {
    const records: SinkRecord[] = [];
    while (records.length < most) {
      const raw = reader.next();
      if (raw === undefined) break;
      try {
        records.push(this.#convert(run, raw));
      } catch (error) {
        const { offset, timestamp, timestampType } = raw;
        this.#parts.errors.tolerate(error, { topic: run.topic, partition: run.partition, offset, timestamp, timestampType, raw });
      }
    }
    return records;
  }

  /** Null for a record that was dropped or skipped; a promise only where a transform is tried again. */
  transformed(record: SinkRecord, chain: Transform, signal: AbortSignal): SinkRecord | null | Promise<SinkRecord | null> {
    try {
      return this.#traced(chain(record), record);
    } catch (error) {
      return this.#transformedAgain(record, chain, error, signal);
    }
  }

  async #transformedAgain(record: SinkRecord, chain: Transform, error: unknown, signal: AbortSignal): Promise<SinkRecord | null> {
    const { errors } = this.#parts;
    const sinceMs = Date.now();
    let failure = inTransform(error);
    for (let attempt = 0; await errors.retry(failure, attempt, sinceMs, signal); attempt++) {
      try {
        return this.#traced(chain(record), record);
      } catch (again) {
        failure = inTransform(again);
      }
    }
    errors.tolerate(failure, placeOf(record));
    return null;
  }

  /** What transforms make keeps where it was read, and what from: they may rename topics, or make records from nothing. */
  #traced(mapped: SinkRecord | null, record: SinkRecord): SinkRecord | null {
    if (mapped === null || mapped === record) return mapped;
    const original = originalOf(record);
    const kept = original === undefined || originalOf(mapped) !== undefined ? mapped : withOriginal(mapped, original);
    const { originalTopic = record.topic, resubmitted } = record;
    if (kept.originalTopic !== undefined || kept.topic === originalTopic) return kept;
    return { ...kept, originalTopic, ...(resubmitted && { resubmitted }) };
  }

  #convert(run: FetchedRun, raw: RawRecord): SinkRecord {
    const { traced, resubmissionTopic } = this.#parts;
    const first = run.topic === resubmissionTopic ? firstPlaceOf(raw.headers) : undefined;
    const record =
      first === undefined
        ? this.#read(run, raw)
        : { ...this.#read({ ...run, topic: first.topic }, withoutFirstPlace(raw)), originalTopic: run.topic, resubmitted: first };
    return traced ? withOriginal(record, { ...raw, topic: run.topic, partition: run.partition }) : record;
  }

  #read({ topic, partition }: TopicPartition, raw: RawRecord): SinkRecord {
    const { keyConverter, valueConverter, converterClasses, serialized } = this.#parts;
    let stage: Stage = 'KEY_CONVERTER';
    let executing = converterClasses.key;
    try {
      const key = keyConverter.read(topic, raw.key);
      stage = 'VALUE_CONVERTER';
      executing = converterClasses.value;
      const value =
        serialized === undefined || valueConverter.readSerialized === undefined
          ? valueConverter.read(topic, raw.value)
          : valueConverter.readSerialized(topic, raw.value, serialized);
      stage = 'HEADER_CONVERTER';
      executing = converterClasses.header;
      return {
        topic,
        partition,
        offset: raw.offset,
        timestamp: raw.timestamp,
        timestampType: raw.timestampType,
        keySchema: key.schema,
        key: key.value,
        valueSchema: value.schema,
        value: value.value,
        headers: raw.headers.length === 0 ? noHeaders : this.#headers(topic, raw.headers),
      };
    } catch (error) {
      throw new StageError(stage, error, executing);
    }
  }

  #headers(topic: string, raw: readonly RawHeader[]): Header[] {
    const { headerConverter } = this.#parts;
    return raw.map(({ key, value }) => {
      const read = headerConverter.readHeader(topic, key, value);
      return { key, schema: read.schema, value: read.value };
    });
  }
}

/** Stands at the run's first record that is wanted. */
export function readerOf(run: FetchedRun): RecordReader {
  return new RecordReader(Buffer.from(run.buffer), run.length, run.position);
}

/** Where the record was read: transforms may have renamed its topic. */
export function placeOf(record: SinkRecord): SinkPlace {
  const original = originalOf(record);
  const { topic, partition, offset, timestamp, timestampType } = original ?? record;
  return { topic, partition, offset, timestamp, timestampType, raw: original };
}

const firstPlaceNames = new Set<string>(Object.values(resubmittedHeaders));

const withoutFirstPlace = (raw: RawRecord): RawRecord => ({ ...raw, headers: raw.headers.filter(({ key }) => !firstPlaceNames.has(key)) });

function inTransform(error: unknown): StageError {
  return error instanceof StageError ? error : new StageError('TRANSFORMATION', error);
}
