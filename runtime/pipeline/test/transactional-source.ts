/** For tests: a source loop over a scripted source that writes in transactions. */
import { noHeaders, schemas } from '../../api/index.ts';
import type { Converter, SourcePosition, SourceRecord, SourceTask, Transform } from '../../api/index.ts';
import { encodeOffsetKey, encodeOffsetValue } from '../../stores/offset-codec.ts';
import { offsetBatches } from '../../stores/offset-batches.ts';
import { BufferPool } from '../buffer-pool.ts';
import { errorPolicy } from '../error-policy.ts';
import { RecordEncoder } from '../record-encoder.ts';
import { sourceLoop } from '../source-loop.ts';
import { TaskFigures } from '../task-figures.ts';
import type { TransactionBoundary } from '../transaction-boundary.ts';
import { offsetsTopic, transactionalLog } from './transactional-log.ts';

const text: Converter = {
  write(_topic, _schema, value, out) {
    if (value === null) return false;
    out.text(String(value));
    return true;
  },
  read: (_topic, bytes) => ({ schema: schemas.string, value: bytes === null ? null : Buffer.from(bytes).toString() }),
};

export function record(n: number, topic = 't', value = `v${n}`): SourceRecord {
  return {
    topic,
    partition: null,
    keySchema: null,
    key: null,
    valueSchema: schemas.string,
    value,
    timestamp: 1000 + n,
    headers: noHeaders,
    sourcePartition: { s: 1 },
    sourceOffset: { n },
  };
}

export interface Script {
  readonly boundary: TransactionBoundary;
  /** One for each poll; after the last, `drained` resolves and polls wait until the stop. A function may ask for boundaries first. */
  readonly polls: (readonly SourceRecord[] | Error | (() => readonly SourceRecord[]))[];
  readonly config?: Record<string, string>;
  readonly chain?: Transform;
  readonly committed?: SourceTask['committed'];
  readonly commitRecord?: SourceTask['commitRecord'];
  readonly position?: NonNullable<SourceTask['position']>;
  readonly copy?: (positions: readonly SourcePosition[]) => Promise<void>;
}

export function startTransactionalSource({ boundary, polls, config = {}, chain, committed, commitRecord, position, copy }: Script) {
  const log = transactionalLog();
  const stop = new AbortController();
  const figures = new TaskFigures();
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message), error() {} };
  const pool = new BufferPool(1 << 20);
  const encoder = new RecordEncoder({
    keyConverter: text,
    valueConverter: text,
    headerConverter: { writeHeader: () => null, readHeader: () => ({ schema: null, value: null }) },
    pool,
    maxBatchBytes: 4096,
    maxRecordBytes: 8192,
    compression: 'none',
  });
  let polled = 0;
  const { promise: drained, resolve: allPolled } = Promise.withResolvers<void>();
  const task: SourceTask = {
    async poll(signal) {
      await Promise.resolve(); // a function among the polls may speak of what is returned below
      const next = polls[polled++];
      if (next instanceof Error) throw next;
      if (typeof next === 'function') return next();
      if (next !== undefined) return next;
      allPolled();
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return [];
    },
    ...(committed === undefined ? {} : { committed }),
    ...(commitRecord === undefined ? {} : { commitRecord }),
    ...(position === undefined ? {} : { position }),
    async [Symbol.asyncDispose]() {},
  };
  const loop = sourceLoop(
    {
      task,
      chain,
      encoder,
      pool,
      producer: log.producer,
      topics: { partitionsOf: async () => 1 },
      positions: { atomic: undefined, write: () => Promise.reject(new Error('positions are written in the transaction')) },
      errors: errorPolicy(config, 'c-0', logger, figures),
      figures,
      log: logger,
      flushIntervalMs: 1_000_000,
      transactions: {
        producer: log.producer,
        boundary,
        task: 'task c-0',
        transactionalId: 'g-c-0',
        offsetsTopic,
        offsetBatches: async (positions) =>
          offsetBatches(
            { name: offsetsTopic, partitions: 1 },
            positions.map(({ partition, offset }) => ({ key: encodeOffsetKey('c', partition), value: encodeOffsetValue(offset) })),
          ),
        ...(copy === undefined ? {} : { copy }),
      },
    },
    false,
  );
  return { log, stop, figures, warnings, drained, loop, polled: () => polled, running: loop.run(stop.signal) };
}

/** As the offsets topic has it. */
export const offset = (n: number): string => `["c",{"s":1}] {"n":${n}}`;
