/** What a stream is decoded with, and where it begins. */
import type { Logger } from '@millrace/runtime/api';
import type { TableLayout } from '../records/envelope.ts';
import type { Resume } from '../position/offsets.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { RecordQueue } from '../records/queue.ts';
import type { RecordContext } from '../records/records.ts';
import type { Reselect } from '../records/reselect.ts';
import type { Settings } from '../config/settings.ts';
import type { SourceNames } from '../records/source-block.ts';
import type { StreamCounts } from '../records/stream-counts.ts';
import type { UnlistedLabel } from '../values/value-type.ts';

export interface StreamParts {
  readonly settings: Settings;
  readonly names: SourceNames;
  readonly context: RecordContext;
  readonly queue: RecordQueue;
  readonly log?: Logger;
  readonly reselect?: Reselect | undefined;
  /** The slot's catalog_xmin as it was last looked up; where it is wanted at all. */
  readonly xmin?: (() => number | null) | undefined;
  /** Counts what comes, for the metrics. */
  readonly counts?: StreamCounts;
  /** A table's columns, or an unknown label of an enum, are about to come: nothing is to be fed until `setLayout` was called. */
  readonly onRelation: (relation: Relation, unlisted?: UnlistedLabel) => void;
  readonly watch?: StreamWatch | undefined;
}

/** Sees what goes by, before there are records of it; what was emitted before a restart it does not see. */
export interface StreamWatch {
  /** `at` is behind the relation's oid; `skipped` rows become no record. */
  row(oid: number, layout: TableLayout, operation: 'c' | 'u' | 'd', bytes: Uint8Array, at: number, end: number, skipped: boolean): void;
  truncated(oids: readonly number[]): void;
  /** A transaction is over, and its records are in the queue. */
  committed(xid: number | null): void;
}

/** Where the stream goes on, and what it leaves out. */
export type StreamStart = Extract<Resume, { phase: 'streaming' }>;
