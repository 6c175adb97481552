/** Records into record batches: converters, headers, partitioner; one batch in the making for each topic partition. */
import { ByteSink, DataError } from '../api/index.ts';
import type { Converter, Header, HeaderConverter, SourceRecord } from '../api/index.ts';
import { BatchWriter, encodeHeaders } from '../batch/batch-writer.ts';
import { compressBatch } from '../batch/compression.ts';
import type { CompressionCodec } from '../batch/batch-header.ts';
import { partitionForKey } from '../batch/partitioner.ts';
import type { OutboundBatch } from '../ports/log.ts';
import type { DeadLetter } from './dead-letter.ts';
import type { DeadLetterTopic } from './dead-letter-topic.ts';
import type { BufferPool } from './buffer-pool.ts';
import { StageError } from './stage-error.ts';

export interface EncoderParts {
  readonly keyConverter: Converter;
  readonly valueConverter: Converter;
  readonly headerConverter: HeaderConverter;
  /** The JVM classes that they stand in for. */
  readonly converterClasses?: { readonly key: string; readonly value: string; readonly header: string };
  readonly pool: BufferPool;
  /** A batch is cut before it grows beyond this, unless one record alone does. */
  readonly maxBatchBytes: number;
  /** A larger record is refused (`max.request.size`). */
  readonly maxRecordBytes: number;
  readonly compression: CompressionCodec;
}

interface TopicState {
  readonly topic: string;
  readonly partitions: number;
  readonly writers: (BatchWriter | undefined)[];
  readonly lastLength: number[];
  /** Where records without a key go until the next cut (the JVM's sticky partitioner, KIP-480). */
  sticky: number;
}

/** What a batch and a record in it take beside keys, values and headers; at most. */
const letterOverheadBytes = 128;

/** What Connect's worker names for a record that the log refuses. */
const producerClass = 'org.apache.kafka.clients.producer.KafkaProducer';

export type Encoded = 'encoded' | 'unknown-topic' | 'full';

export class RecordEncoder {
  /** Where the last record went: its partition, and which record of its batch it is. */
  readonly lastPlace = { partition: 0, index: 0 };
  readonly #parts: EncoderParts;
  readonly #topics = new Map<string, TopicState>();
  readonly #open: { state: TopicState; partition: number; writer: BatchWriter }[] = [];
  readonly #headerBlocks = new WeakMap<readonly Header[], Uint8Array>();
  readonly #key = new ByteSink(256);
  #last: TopicState | undefined;
  /** Bytes in batches in the making. */
  pendingBytes = 0;

  constructor(parts: EncoderParts) {
    this.#parts = parts;
  }

  knows(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** A topic must be known, with its number of partitions, before its records can be placed. */
  learn(topic: string, partitions: number): void {
    this.#topics.set(topic, { topic, partitions, writers: [], lastLength: [], sticky: Math.floor(Math.random() * partitions) });
    this.#last = undefined;
  }

  /**
   * Encodes one record; `now` stamps records without a timestamp. `unknown-topic`: {@link learn} it first;
   * `full`: cut first; nothing was encoded in both cases. Throws a StageError around the converter's error.
   */
  encode(record: SourceRecord, now: number): Encoded {
    let state = this.#last;
    if (state === undefined || state.topic !== record.topic) {
      state = this.#topics.get(record.topic);
      if (state === undefined) return 'unknown-topic';
      this.#last = state;
    }
    const headers = this.#headers(record);
    const placed = state.partitions === 1 || record.partition !== null;
    const keyPresent = placed ? undefined : this.#encodeKey(record);
    const partition = this.#place(state, record, keyPresent);
    const writer = state.writers[partition] ?? this.#openWriter(state, partition);
    const before = writer.length;
    writer.beginRecord(record.timestamp ?? now);
    try {
      writer.beginKey();
      if (keyPresent !== undefined) {
        if (keyPresent) writer.out.copy(this.#key.bytes, 0, this.#key.position);
        writer.endKey(keyPresent);
      } else writer.endKey(this.#convert('KEY_CONVERTER', this.#parts.keyConverter, record, writer.out));
      writer.beginValue();
      writer.endValue(this.#convert('VALUE_CONVERTER', this.#parts.valueConverter, record, writer.out));
    } catch (error) {
      writer.abandonRecord();
      throw error;
    }
    if (writer.length + headers.length > this.#parts.maxBatchBytes && writer.records > 0) {
      writer.abandonRecord();
      return 'full';
    }
    if (writer.length - before > this.#parts.maxRecordBytes) throw this.#tooLarge(state.topic, writer, before);
    this.lastPlace.partition = partition;
    this.lastPlace.index = writer.records;
    writer.endRecord(headers);
    this.pendingBytes += writer.length - before;
    return 'encoded';
  }

  /**
   * A dead letter, into the same batches: it is in the log with the records beside it or not at all. Refused where
   * it is larger than the log takes; `unknown-topic` and `full` as {@link encode}.
   */
  encodeLetter({ name: topic, maxBatchBytes }: DeadLetterTopic, letter: DeadLetter): Encoded | 'refused' {
    const state = this.#topics.get(topic);
    if (state === undefined) return 'unknown-topic';
    const headers = encodeHeaders(letter.headers);
    const bytes = (letter.key?.length ?? 0) + (letter.value?.length ?? 0) + headers.length;
    const { maxRecordBytes, maxBatchBytes: usualBytes } = this.#parts;
    if (bytes + letterOverheadBytes > Math.min(maxRecordBytes, maxBatchBytes)) return 'refused';
    const partition = letter.key !== null && state.partitions > 1 ? partitionForKey(letter.key, state.partitions) : 0;
    const writer = state.writers[partition] ?? this.#openWriter(state, partition);
    if (writer.records > 0 && writer.length + bytes + letterOverheadBytes > Math.min(usualBytes, maxBatchBytes)) return 'full';
    const before = writer.length;
    writer.beginRecord(letter.timestamp);
    writer.beginKey();
    if (letter.key !== null) writer.out.copy(letter.key);
    writer.endKey(letter.key !== null);
    writer.beginValue();
    if (letter.value !== null) writer.out.copy(letter.value);
    writer.endValue(letter.value !== null);
    writer.endRecord(headers);
    this.pendingBytes += writer.length - before;
    return 'encoded';
  }

  /** Ends all batches in the making and hands them over. */
  cut(): OutboundBatch[] {
    const { compression, pool } = this.#parts;
    const batches: OutboundBatch[] = [];
    for (const { state, partition, writer } of this.#open) {
      state.writers[partition] = undefined;
      if (writer.records === 0) continue;
      const written = writer.finish();
      state.lastLength[partition] = written.length;
      const { buffer, length } = compressBatch(compression, written.buffer, written.length);
      if (buffer !== written.buffer) pool.give(written.buffer);
      batches.push({ topic: state.topic, partition, buffer, length, records: written.records });
      if (state.partitions > 1) state.sticky = (state.sticky + 1) % state.partitions;
    }
    this.#open.length = 0;
    this.pendingBytes = 0;
    return batches;
  }

  #place(state: TopicState, record: SourceRecord, keyPresent: boolean | undefined): number {
    if (record.partition !== null) {
      if (record.partition >= 0 && record.partition < state.partitions) return record.partition;
      throw new StageError(
        'KAFKA_PRODUCE',
        new RangeError(`partition ${record.partition} of topic "${state.topic}", which has ${state.partitions}`),
        producerClass,
      );
    }
    if (state.partitions === 1) return 0;
    return keyPresent ? partitionForKey(this.#key.written(), state.partitions) : state.sticky;
  }

  #encodeKey(record: SourceRecord): boolean {
    this.#key.clear();
    return this.#convert('KEY_CONVERTER', this.#parts.keyConverter, record, this.#key);
  }

  #convert(stage: 'KEY_CONVERTER' | 'VALUE_CONVERTER', converter: Converter, record: SourceRecord, out: ByteSink): boolean {
    try {
      return stage === 'KEY_CONVERTER'
        ? converter.write(record.topic, record.keySchema, record.key, out)
        : converter.write(record.topic, record.valueSchema, record.value, out);
    } catch (error) {
      const { converterClasses } = this.#parts;
      throw new StageError(stage, error, stage === 'KEY_CONVERTER' ? converterClasses?.key : converterClasses?.value);
    }
  }

  #tooLarge(topic: string, writer: BatchWriter, before: number): StageError {
    const bytes = writer.length - before;
    writer.abandonRecord();
    const { maxRecordBytes } = this.#parts;
    return new StageError(
      'KAFKA_PRODUCE',
      new DataError(`a record for topic "${topic}" has ${bytes} bytes, more than max.request.size=${maxRecordBytes}.`, {
        hint: "Raise producer.override.max.request.size (and the topic's max.message.bytes), or set errors.tolerance=all to skip it.",
      }),
      producerClass,
    );
  }

  #openWriter(state: TopicState, partition: number): BatchWriter {
    const writer = new BatchWriter(this.#parts.pool.take((state.lastLength[partition] ?? 0) + 1024));
    state.writers[partition] = writer;
    this.#open.push({ state, partition, writer });
    this.pendingBytes += writer.length;
    return writer;
  }

  #headers(record: SourceRecord): Uint8Array {
    const { headers, topic } = record;
    let block = this.#headerBlocks.get(headers);
    if (block === undefined) {
      try {
        block = encodeHeaders(
          headers.map(({ key, schema, value }) => ({ key, value: this.#parts.headerConverter.writeHeader(topic, key, schema, value) })),
        );
      } catch (error) {
        throw new StageError('HEADER_CONVERTER', error, this.#parts.converterClasses?.header);
      }
      this.#headerBlocks.set(headers, block);
    }
    return block;
  }
}
