import type { Logger, SourcePosition, SourceTask, Transform } from '../api/index.ts';
import type { LogProducer, OutboundBatch } from '../ports/log.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { ErrorPolicy } from './error-policy.ts';
import type { RecordEncoder } from './record-encoder.ts';
import type { TaskFigures } from './task-figures.ts';
import type { TopicDirectory } from './topic-directory.ts';

/** What a source's pipeline is made of. */
export interface SourceParts {
  readonly task: SourceTask;
  readonly chain: Transform | undefined;
  readonly encoder: RecordEncoder;
  readonly pool: BufferPool;
  readonly producer: LogProducer;
  readonly topics: TopicDirectory;
  readonly positions: PositionWriter;
  readonly errors: ErrorPolicy;
  readonly figures: TaskFigures;
  readonly log: Logger;
  readonly flushIntervalMs: number;
}

/** Where source positions are kept. */
export interface PositionWriter {
  /**
   * A batch that stores these positions, to be appended in one transaction with the records before them;
   * undefined when positions are written apart, with `write`.
   */
  readonly atomic: ((positions: readonly SourcePosition[]) => OutboundBatch[]) | undefined;
  /** Durable when it resolves. */
  write(positions: readonly SourcePosition[]): Promise<void>;
}
