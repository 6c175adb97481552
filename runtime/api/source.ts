import type { ConfigDef, ConfigProblem, ConfigValues, RawConfig } from './config-def.ts';
import type { OffsetMap, SourceRecord } from './record.ts';
import type { TopicFollowing } from './topic.ts';

/** A position that is durable: everything up to it is in the log. */
export interface SourcePosition {
  readonly partition: OffsetMap;
  readonly offset: OffsetMap;
}

/** Where a record went: what the log answered. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface TaskContext {
  readonly connector: string;
  readonly task: number;
  /** The task's config as written, placeholders resolved. */
  readonly rawConfig: RawConfig;
  /** Aborted when the task is asked to stop. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Fails the task from outside its calls, as if `poll` or `put` had thrown. */
  fail(error: Error): void;
  /**
   * Sets a figure of the connector's own, for `/metrics`: a count ends in `-total`. With `labels` it stands there under
   * exactly that name and with these labels, beside the connector's and the task's. Absent where nobody asks.
   */
  setFigure?(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /**
   * What a task that runs has to say of its state: that it tries again, since when, and why. It stands in the status
   * beside RUNNING, until another one takes its place, or undefined takes it away. Absent where nobody asks.
   */
  note?(text: string | undefined): void;
  /**
   * How far the work of a task is that is well: shown with the connector's summary, and not taken for trouble as a note
   * is. Each report takes the place of the one before, undefined takes it away; they are stored every few seconds at
   * most, so that it may be called as often as one likes. Absent where nobody asks.
   */
  setReport?(report: TaskReport | undefined): void;
}

/** By what is told of, such as `snapshot`: figures by name, which says their unit (`retainedBytes`, `secondsLeft`). */
export type TaskReport = Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;

export interface SourceTaskContext extends TaskContext {
  /** The committed offset of each of these source partitions, or undefined where there is none. */
  offsets(partitions: readonly OffsetMap[]): Promise<(OffsetMap | undefined)[]>;
  /**
   * Follows a topic of the worker's log, such as one that tells the connector what to do. Waits for a topic that is not
   * there; what may pass is told in the task's log and tried again. Resolves when its signal aborts. Absent where there
   * is no log.
   */
  followTopic?(following: TopicFollowing): Promise<void>;
  /** Only where the worker writes exactly-once and the connector has `transaction.boundary=connector`. */
  readonly transactionContext?: TransactionContext;
}

/**
 * How a task draws the boundaries of its transactions. Nothing is committed but by these calls; what was polled and
 * not committed when the task stops comes again. Asking for both, for the same record or poll, fails the task.
 * Source: org.apache.kafka.connect.source.TransactionContext (KIP-618).
 */
export interface TransactionContext {
  /** After this record, of the next poll (known by identity); without one, after the next poll. */
  commitTransaction(record?: SourceRecord): void;
  /**
   * Discards what the transaction holds up to this record, or up to the end of the next poll. The offsets are
   * committed all the same, so that the records do not come again; to have them again, throw instead.
   */
  abortTransaction(record?: SourceRecord): void;
}

/**
 * Reads a source. Calls never overlap, save `committed`, which may run while `poll` waits. The runtime keeps
 * the order of records of one source partition, and repeats records after a crash from the last committed
 * offset on. Source: org.apache.kafka.connect.source.SourceTask.
 */
export interface SourceTask extends AsyncDisposable {
  /**
   * The next records, in order; waits while there are none, a second or so at most (an empty array is fine).
   * A RetriableError repeats the call after a backoff; any other error fails the task. Rejects or resolves soon
   * when `signal` is aborted.
   */
  poll(signal: AbortSignal): Promise<readonly SourceRecord[]>;
  /**
   * The log holds all records up to these positions, and the offset store holds the positions: the source may
   * forget what lies before. The newest position of each source partition that was committed.
   */
  committed?(positions: readonly SourcePosition[]): void | Promise<void>;
  /**
   * Where the task stands now, when that is further than its last record says: nothing before it is left to be polled.
   * Asked between polls; undefined where there is nothing new. It is stored as positions of records are, and then told
   * to `committed`. Source: KIP-910.
   */
  position?(): SourcePosition | undefined;
  /** This record is in the log (or was dropped on the way, then metadata is null). Only when a source needs it: it costs a call for each record. */
  commitRecord?(record: SourceRecord, metadata: RecordMetadata | null): void;
}

export interface PreviewContext {
  readonly connector: string;
  /** The connector's config as written, placeholders resolved. */
  readonly rawConfig: RawConfig;
  /** So many records are to be shown; more are taken where transforms drop some. */
  readonly records: number;
  /** For all of it. */
  readonly timeoutMs: number;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
  /** Warnings and errors stand among the notes, too. */
  readonly log: Logger;
  /** Something that a reader of the preview should know: what was looked into, what was left out. Without secrets. */
  note(text: string): void;
}

export interface SourcePlugin<D extends ConfigDef = ConfigDef> {
  readonly kind: 'source';
  readonly version: string;
  readonly config: D;
  /** Keys outside `config` that it reads or judges by itself, such as those with names in them; others are warned about as unknown. */
  alsoKnows?(key: string): boolean;
  /** Checks that need more than one key, or a look at the source; runs in a thread of its own, bounded in time. */
  validate?(values: ConfigValues<D>, raw: RawConfig): Promise<readonly ConfigProblem[]> | readonly ConfigProblem[];
  /** The config of each task, at most `maxTasks`. Left out: one task with the connector's config. */
  taskConfigs?(values: ConfigValues<D>, raw: RawConfig, maxTasks: number): Promise<readonly RawConfig[]> | readonly RawConfig[];
  /** Resolves once the task is ready to be polled. A RetriableError here fails the task just as others do. */
  start(values: ConfigValues<D>, context: SourceTaskContext): Promise<SourceTask>;
  /**
   * Records as a task would hand them over at its first start, for somebody to look at: some of everything that the
   * config captures. Only reads, and leaves no trace in the source. The runtime stops taking them when it has enough (so
   * release what is held in a `finally`), and ends the thread afterwards. Left out: there is no preview.
   */
  preview?(values: ConfigValues<D>, context: PreviewContext): AsyncIterable<SourceRecord>;
  /**
   * Asked before offsets are altered or reset by REST (null = reset). Throws a ConfigError for positions that
   * it could not go on from. Returns whether it handled offsets kept elsewhere. Left out: anything goes, false.
   */
  alterOffsets?(raw: RawConfig, offsets: readonly { partition: OffsetMap; offset: OffsetMap | null }[]): Promise<boolean> | boolean;
  /**
   * Whether its offsets tell exactly which records were read, so that no record is lost or repeated where records and
   * offsets are written together. Left out: unknown, which `exactly.once.support=required` refuses too.
   */
  readonly exactlyOnceSupport?: 'supported' | 'unsupported';
  /** Whether its tasks use the `transactionContext`; without, `transaction.boundary=connector` is refused. */
  readonly canDefineTransactionBoundaries?: boolean;
}

export function defineSource<const D extends ConfigDef>(plugin: Omit<SourcePlugin<D>, 'kind'>): SourcePlugin<D> {
  return { kind: 'source', ...plugin };
}
