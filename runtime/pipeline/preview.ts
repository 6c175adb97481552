/** One record's way to the log, without the log: through transforms, converters and the record batch. */
import type { RawConfig, SourceRecord, Transform } from '../api/index.ts';
import { readRecords } from '../batch/record-reader.ts';
import type { PreviewFailure, PreviewRecord, ShownBytes } from '../ports/preview.ts';
import { BufferPool } from './buffer-pool.ts';
import { deadLetterSettings } from './dead-letter.ts';
import { RecordEncoder } from './record-encoder.ts';
import type { EncoderParts } from './record-encoder.ts';
import { StageError } from './stage-error.ts';

/** Of one key, value or header; larger ones are cut. */
const mostShownBytes = 1024 * 1024;

type ConverterParts = Pick<EncoderParts, 'keyConverter' | 'valueConverter' | 'headerConverter' | 'converterClasses' | 'maxRecordBytes'>;

export interface PreviewPipeline {
  /** Undefined for a record that a transform drops. Throws what is no error of the record. */
  show(record: SourceRecord): PreviewRecord | PreviewFailure | undefined;
  readonly outcome: PreviewFailure['error']['outcome'];
}

export function previewPipeline(chain: Transform | undefined, converters: ConverterParts, config: RawConfig): PreviewPipeline {
  const pool = new BufferPool(0);
  const encoder = new RecordEncoder({ ...converters, pool, maxBatchBytes: converters.maxRecordBytes, compression: 'none' });
  const outcome = outcomeOf(config);

  function encoded(record: SourceRecord): PreviewRecord {
    const { topic, partition, timestamp } = record;
    // How many there are is the topic's affair, which is not looked at: enough of them.
    encoder.learn(topic, Math.max(0, partition ?? 0) + 1);
    encoder.encode(record, timestamp ?? Date.now());
    const [batch] = encoder.cut();
    const [written] = batch === undefined ? [] : readRecords(Buffer.from(batch.buffer), batch.length, 0n);
    if (written === undefined) throw new Error(`a record for topic "${topic}" was encoded, and is not there`);
    const { key, value, headers } = written;
    return {
      topic,
      partition,
      timestamp,
      key: shown(key),
      value: shown(value),
      headers: headers.map((header) => ({ key: header.key, value: shown(header.value) })),
    };
  }

  return {
    outcome,
    show(polled) {
      try {
        const record = chain === undefined ? polled : chain(polled);
        return record === null ? undefined : encoded(record);
      } catch (error) {
        if (!(error instanceof StageError)) throw error;
        const { stage, executing, message } = error;
        return { topic: polled.topic, error: { stage, class: executing, message, outcome } };
      }
    },
  };
}

function outcomeOf(config: RawConfig): PreviewPipeline['outcome'] {
  if (config['errors.tolerance']?.trim().toLowerCase() !== 'all') return 'task fails';
  return deadLetterSettings(config, '', 0) === undefined ? 'left out' : 'dead letter';
}

/** A copy: what is read stands in a buffer that would cross threads whole. */
function shown(bytes: Uint8Array | null): ShownBytes | null {
  if (bytes === null) return null;
  if (bytes.length <= mostShownBytes) return { bytes: new Uint8Array(bytes) };
  return { bytes: new Uint8Array(bytes.subarray(0, mostShownBytes)), cutFrom: bytes.length };
}
