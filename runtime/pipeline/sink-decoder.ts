import { noHeaders } from '../api/index.ts';
import type { Converter, Header, HeaderConverter, SinkRecord, Transform } from '../api/index.ts';
import { readRecords } from '../batch/record-reader.ts';
import type { RawHeader, RawRecord } from '../batch/record-reader.ts';
import type { FetchedRun } from '../ports/log.ts';
import type { ErrorPolicy } from './error-policy.ts';
import { StageError } from './stage-error.ts';
import type { Stage } from './stage-error.ts';

export interface DecoderParts {
  readonly keyConverter: Converter;
  readonly valueConverter: Converter;
  readonly headerConverter: HeaderConverter;
  readonly errors: ErrorPolicy;
}

/** Bytes from the log into sink records; a record that a converter refuses goes to the error policy. */
export class SinkDecoder {
  readonly #parts: DecoderParts;

  constructor(parts: DecoderParts) {
    this.#parts = parts;
  }

  decode(run: FetchedRun): SinkRecord[] {
    const records: SinkRecord[] = [];
    for (const raw of readRecords(Buffer.from(run.buffer), run.length, run.position)) {
      try {
        records.push(this.#convert(run, raw));
      } catch (error) {
        this.#parts.errors.tolerate(error, { topic: run.topic, partition: run.partition, offset: raw.offset, timestamp: raw.timestamp });
      }
    }
    return records;
  }

  /** Null for a record that was dropped or skipped; a promise only where a transform is tried again. */
  transformed(record: SinkRecord, chain: Transform, signal: AbortSignal): SinkRecord | null | Promise<SinkRecord | null> {
    try {
      return chain(record);
    } catch (error) {
      return this.#transformedAgain(record, chain, error, signal);
    }
  }

  async #transformedAgain(record: SinkRecord, chain: Transform, error: unknown, signal: AbortSignal): Promise<SinkRecord | null> {
    const { errors } = this.#parts;
    const sinceMs = Date.now();
    let failure = new StageError('TRANSFORMATION', error);
    for (let attempt = 0; await errors.retry(failure, attempt, sinceMs, signal); attempt++) {
      try {
        return chain(record);
      } catch (again) {
        failure = new StageError('TRANSFORMATION', again);
      }
    }
    errors.tolerate(failure, record);
    return null;
  }

  #convert({ topic, partition }: FetchedRun, raw: RawRecord): SinkRecord {
    const { keyConverter, valueConverter } = this.#parts;
    const key = stage('KEY_CONVERTER', () => keyConverter.read(topic, raw.key));
    const value = stage('VALUE_CONVERTER', () => valueConverter.read(topic, raw.value));
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
  }

  #headers(topic: string, raw: readonly RawHeader[]): Header[] {
    return raw.map(({ key, value }) => {
      const read = stage('HEADER_CONVERTER', () => this.#parts.headerConverter.readHeader(topic, key, value));
      return { key, schema: read.schema, value: read.value };
    });
  }
}

function stage<T>(name: Stage, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new StageError(name, error);
  }
}
