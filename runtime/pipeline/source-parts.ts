import type { Logger, SourcePosition, SourceRecord, SourceTask, Transform } from '../api/index.ts';
import type { LogProducer, OutboundBatch } from '../ports/log.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { SourceDeadLetters } from './source-dead-letters.ts';
import type { ErrorPolicy } from './error-policy.ts';
import type { RecordEncoder } from './record-encoder.ts';
import type { TaskFigures } from './task-figures.ts';
import type { TopicDirectory } from './topic-directory.ts';
import type { Transactions } from './transaction-parts.ts';

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
  /** Left out: there is no dead-letter queue. */
  readonly letters?: SourceDeadLetters | undefined;
  readonly figures: TaskFigures;
  readonly log: Logger;
  readonly flushIntervalMs: number;
  /** Exactly-once on a log with transactions: `producer` and `positions` are not used then. */
  readonly transactions?: Transactions;
}

/** What was encoded and is not yet committed, as the loop sees it. Every method may throw what broke it. */
export interface Outbox {
  /** Encoded bytes from which on they are to be cut, so that the log has something to do. */
  readonly cutBytes: number;
  /** A record that the encoder has just put into a batch. */
  encoded(polled: SourceRecord, sent: SourceRecord): void;
  /** A record that goes nowhere: its position counts all the same. */
  dropped(polled: SourceRecord): void;
  /** A position without a record: that of everything which was polled before. */
  moved(position: SourcePosition): void;
  /** Called after each record, where boundaries may lie between the records of one poll. */
  readonly recordTaken?: ((polled: SourceRecord) => Promise<void> | undefined) | undefined;
  /** Called after each poll, also where it brought nothing. */
  pollEnded(): Promise<void>;
  /** Sends what is together. Waits while too much is in flight: that is the back-pressure. */
  cut(): Promise<void>;
  /** What `work` resolves with, unless the outbox breaks meanwhile: then it rejects with the reason. */
  unlessBroken<T>(work: Promise<T>): Promise<T>;
  /** Sends and commits what may be committed: the task pauses, or stops (`last`). */
  settle(last: boolean): Promise<void>;
  /** The task has failed: saves what can be saved. Never rejects. */
  giveUp(): Promise<void>;
  /** Commits on a timer, positions without records too. */
  commitEvery(intervalMs: number): { stop(): void };
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
