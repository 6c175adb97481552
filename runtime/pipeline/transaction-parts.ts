import type { SourcePosition } from '../api/index.ts';
import type { OutboundBatch, TransactionalProducer } from '../ports/log.ts';
import type { TransactionBoundary } from './transaction-boundary.ts';

/** What a source needs to write its records and their positions in transactions (KIP-618). */
export interface Transactions {
  readonly producer: TransactionalProducer;
  readonly boundary: TransactionBoundary;
  /** As messages name the task: `task c-0`. */
  readonly task: string;
  readonly transactionalId: string;
  /** Where positions go; records may not. */
  readonly offsetsTopic: string;
  /** Batches for that topic which store these positions. */
  offsetBatches(positions: readonly SourcePosition[]): Promise<readonly OutboundBatch[]>;
  /** Copies committed positions to where others look for them. Never rejects; left out where there is no such place. */
  copy?(positions: readonly SourcePosition[]): Promise<void>;
}
