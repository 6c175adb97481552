/** What a task does: a snapshot if need be, then the stream, through lost connections, into one queue. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OffsetMap, SourcePosition, SourceTaskContext } from '@millrace/runtime/api';
import { readTable } from './catalog/catalog.ts';
import { createConfirmation, isBetweenTransactions } from './slot/confirmation.ts';
import type { createConnector } from './connection/connection.ts';
import { endClient } from './connection/connection.ts';
import { explain } from './connection/errors.ts';
import { createHeartbeatQuery } from './connection/heartbeat-query.ts';
import { commitOffset } from './position/offsets.ts';
import type { Relation } from './pgoutput/messages.ts';
import { planWithout, startOf } from './plan.ts';
import type { Plan } from './plan.ts';
import type { RecordQueue } from './records/queue.ts';
import type { recordContext } from './records/records.ts';
import { createLayoutCache } from './catalog/relations.ts';
import { startReplication } from './stream/replication.ts';
import type { Replication } from './stream/replication.ts';
import type { Reselect } from './records/reselect.ts';
import { createRetries } from './connection/retries.ts';
import { ensureFailover, isFurther, usableSlot } from './slot/session-start.ts';
import type { Settings } from './config/settings.ts';
import type { openDesk } from './signals/open-desk.ts';
import { SlotUnusableError } from './slot/slot-problem.ts';
import { watchSlot } from './slot/slot-watch.ts';
import { createSlot } from './slot/slot.ts';
import { createSnapshotJob } from './snapshot/snapshot-slot.ts';
import { heartbeatRecord } from './records/special-records.ts';
import { watchXmin } from './slot/slot-xmin.ts';
import type { SlotXmin } from './slot/slot-xmin.ts';
import type { SqlLink } from './connection/sql-link.ts';
import type { createStatusNotes } from './status/status-notes.ts';
import type { StatusReport } from './status/status-report.ts';
import { StreamDecoder } from './stream/stream.ts';
import type { StreamStart } from './stream/stream-parts.ts';
import { createStreamingFigures } from './status/streaming-figures.ts';
import { heartbeatTopic } from './records/topics.ts';
import type { UnlistedLabel } from './values/value-type.ts';

/** A stream that ran for so long has begun well. */
const begunAfterMs = 2_000;
/** The server may sync on each confirmation: so often is enough. */
const reportEveryMs = 1_000;

export interface EngineParts extends ReturnType<typeof openDesk> {
  readonly settings: Settings;
  readonly names: { readonly version: string; readonly server: string; readonly database: string };
  readonly queue: RecordQueue;
  readonly context: ReturnType<typeof recordContext>;
  readonly connector: ReturnType<typeof createConnector>;
  readonly sql: SqlLink;
  readonly reselect: Reselect | undefined;
  readonly log: SourceTaskContext['log'];
  readonly notes: ReturnType<typeof createStatusNotes>;
  readonly report: StatusReport;
  readonly setFigure: NonNullable<SourceTaskContext['setFigure']>;
  readonly offset: OffsetMap | undefined;
  readonly signal: AbortSignal;
}

export class Engine {
  readonly #confirmation;
  readonly #parts: EngineParts;
  readonly #layouts;
  readonly #figures;
  #stream: { readonly decoder: StreamDecoder; readonly replication: Replication } | undefined;
  #failSession: ((error: Error) => void) | undefined;
  #reportedAt = 0;
  #xmin: SlotXmin | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const { settings, queue, setFigure, names, log } = parts;
    this.#confirmation = createConfirmation(settings.topicPrefix, settings.statusIntervalMs);
    this.#figures = createStreamingFigures(setFigure, settings, queue, () => this.#stream !== undefined);
    this.#layouts = createLayoutCache(settings, names, log);
  }

  async run(first: Plan): Promise<void> {
    const { settings, log } = this.#parts;
    using _figures = this.#figures;
    for (let plan = first; ;) {
      try {
        return await this.#follow(plan);
      } catch (error) {
        if (!(error instanceof SlotUnusableError)) throw error;
        // What is still on its way to the log has positions of the other server's WAL: only a start anew forgets them.
        if (error.problem.kind === 'other-wal') throw error;
        plan = planWithout(error, settings, log);
      }
    }
  }

  async #follow(plan: Plan): Promise<void> {
    const { settings, connector, log } = this.#parts;
    if (plan.kind === 'idle') return;
    if (plan.kind === 'stream') {
      this.#parts.notifier.initial('SKIPPED', {}, this.#parts.offset ?? {});
      if (plan.createSlot) {
        const client = await connector.connectReplication();
        const options = { temporary: false, failover: settings.slotFailover, log, signal: this.#parts.signal };
        await createSlot(client, settings.slot, options).finally(() => endClient(client));
        log.info(`replication slot "${settings.slot}" was created`);
      }
      return this.#streamOn(plan.start);
    }
    if (settings.snapshotDelayMs > 0) await this.#pause(settings.snapshotDelayMs);
    const snapshot = createSnapshotJob(this.#parts, plan.only, plan.progress);
    const reading = this.#retrying('snapshot', () => snapshot.run());
    if (plan.only) return void (await reading);
    const lsn = await this.#besideWatch(reading);
    if (settings.streamingDelayMs > 0) await this.#pause(settings.streamingDelayMs);
    const slot = await this.#retrying('look up the slot', () => usableSlot(this.#parts, undefined));
    return this.#streamOn(startOf({ phase: 'streaming', from: lsn, lastCommit: undefined, last: undefined }, slot));
  }

  committed(positions: readonly SourcePosition[]): void {
    const { settings } = this.#parts;
    const mine = positions.find(({ partition }) => partition['server'] === settings.topicPrefix);
    if (mine === undefined) return;
    this.#confirmation.stored(mine.offset);
    this.#parts.desk.stored(mine.offset);
    if (Date.now() - this.#reportedAt < reportEveryMs) return;
    this.#reportedAt = Date.now();
    this.#stream?.replication.report();
  }

  /** To where everything was handed over, that no record tells of. */
  position(): SourcePosition | undefined {
    const decoder = this.#stream?.decoder;
    if (decoder === undefined || !isBetweenTransactions(decoder) || !this.#parts.queue.isEmpty) return undefined;
    const { desk } = this.#parts;
    const position = this.#confirmation.position(decoder.reached, decoder.lastTxId, decoder.lastUs, desk.awaitsStore);
    if (position === undefined) return undefined;
    decoder.settle();
    return { ...position, offset: { ...position.offset, ...this.#parts.queue.offsetFields?.() } };
  }

  async stop(): Promise<void> {
    await this.#stream?.replication.close();
  }

  async #streamOn(from: StreamStart): Promise<void> {
    const { signal, settings, connector, log, desk } = this.#parts;
    desk.start();
    if (settings.slotFailover) await ensureFailover(this.#parts);
    await using _watch = this.#watch((error) => this.#failSession?.(error));
    await using query = createHeartbeatQuery(connector, settings.heartbeatQuery, log);
    const beat = (): void => {
      query.run();
      this.#beat();
    };
    const heartbeat = settings.heartbeatIntervalMs > 0 ? setInterval(beat, settings.heartbeatIntervalMs) : undefined;
    try {
      this.#xmin = await watchXmin(settings, this.#parts.sql, this.#parts.log);
      let position = from;
      const retries = this.#retries(`stream from replication slot "${settings.slot}"`);
      while (!signal.aborted) {
        const { error, reached } = await this.#session(position, retries.works);
        if (signal.aborted) return;
        if (isFurther(reached, position)) retries.progressed();
        position = reached;
        // It may be what the stream was lost with.
        this.#parts.sql.drop();
        await retries.wait(error);
      }
    } finally {
      clearInterval(heartbeat);
      this.#xmin?.[Symbol.dispose]();
    }
  }

  #watch(failed: (error: Error) => void): AsyncDisposable {
    return watchSlot({
      ...this.#parts,
      note: this.#parts.notes.on('slot'),
      seen: (slot) => {
        this.#figures.slot(slot);
        this.#parts.report.slot(slot);
      },
      confirmable: () => (this.#stream === undefined ? undefined : this.#confirmation.confirmable),
      failed,
    });
  }

  /** A snapshot holds the WAL for as long as it takes. What is wrong with the slot is found out when its stream begins. */
  async #besideWatch<T>(work: Promise<T>): Promise<T> {
    await using _watch = this.#watch(() => {});
    return await work;
  }

  /** One connection's worth of stream. */
  async #session(position: StreamStart, works: () => void): Promise<{ readonly error: unknown; readonly reached: StreamStart }> {
    const { settings, connector, queue, log, desk, signal } = this.#parts;
    const failed = Promise.withResolvers<Error>();
    this.#failSession = failed.reject;
    const decoder = new StreamDecoder(
      {
        ...this.#parts,
        watch: desk,
        counts: this.#figures.counts,
        xmin: this.#xmin?.value,
        onRelation: (relation, unlisted) => this.#relation(relation, unlisted, decoder, failed.reject),
      },
      position,
    );
    failed.promise.catch(() => {});
    const confirmable = () => (settings.flushLsn ? this.#confirmation.confirmable : undefined);
    let begun: NodeJS.Timeout | undefined;
    const started = (): void => {
      log.info(`streaming from replication slot "${settings.slot}"`);
      begun = setTimeout(works, begunAfterMs);
    };
    let replication: Replication | undefined;
    try {
      const verify = async (): Promise<void> => this.#figures.slot(await usableSlot(this.#parts, position));
      await verify();
      const options = { connector, settings, decoder, queue, confirmable, verify, onStarted: started };
      replication = await startReplication(options, position.from);
      this.#stream = { decoder, replication };
      desk.attach(decoder, replication);
      if (signal.aborted) await replication.close();
      const error = await Promise.race([replication.ended, failed.promise]);
      return { error, reached: decoder.position() };
    } catch (error) {
      return { error, reached: decoder.position() };
    } finally {
      clearTimeout(begun);
      this.#stream = undefined;
      desk.detach();
      this.#failSession = undefined;
      await replication?.close();
    }
  }

  /** Holds the stream until the catalog told what the relation's message leaves out. */
  #relation(relation: Relation, unlisted: UnlistedLabel | undefined, decoder: StreamDecoder, failed: (error: unknown) => void): void {
    const replication = this.#stream?.replication;
    const types = relation.columns.map((column) => column.type);
    replication?.hold();
    this.#parts.sql
      .use((client) => readTable(client, relation.oid, types, relation))
      .then((catalog) => {
        const layout = this.#layouts.layout(relation, catalog, unlisted);
        this.#parts.desk.layoutChanged(relation, layout);
        decoder.setLayout(relation.oid, layout);
        replication?.release();
      })
      .catch((error: unknown) => failed(explain(error, `look up table ${relation.schema}.${relation.table}`)));
  }

  #beat(): void {
    const { settings, context, queue } = this.#parts;
    const decoder = this.#stream?.decoder;
    if (decoder === undefined || queue.isFull || !isBetweenTransactions(decoder)) return;
    const offset = commitOffset(decoder.reached, decoder.lastTxId, decoder.lastUs);
    decoder.settle();
    queue.push(heartbeatRecord(context, heartbeatTopic(settings), settings.topicPrefix, offset), 64);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#parts.signal });
  }

  async #retrying<T>(doing: string, work: () => Promise<T>): Promise<T> {
    const retries = this.#retries(doing);
    for (;;) {
      try {
        const done = await work();
        retries.works();
        return done;
      } catch (error) {
        this.#parts.signal.throwIfAborted();
        await retries.wait(explain(error, doing));
      }
    }
  }

  #retries(doing: string) {
    return createRetries({ ...this.#parts, note: this.#parts.notes.on('retries') }, doing);
  }
}
