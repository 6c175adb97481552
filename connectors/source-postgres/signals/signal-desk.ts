/**
 * Where signals arrive, from whatever channel, and are dealt with one after another; the task's side of incremental and
 * blocking snapshots. It lives as long as the task, over all connections of the stream.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger, OffsetMap } from '@millrace/runtime/api';

import { isBetweenTransactions } from '../slot/confirmation.ts';
import type { Connector } from '../connection/connection.ts';
import type { TableLayout } from '../records/envelope.ts';
import { codeOf, explain, mayPass } from '../connection/errors.ts';
import { IncrementalSnapshot } from '../incremental/incremental-snapshot.ts';
import { readState } from '../incremental/snapshot-state.ts';
import type { Place } from '../incremental/window.ts';
import type { Notifier } from '../notifications/notifier.ts';
import { commitOffset } from '../position/offsets.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { RecordQueue } from '../records/queue.ts';
import type { RecordContext } from '../records/records.ts';
import type { Replication } from '../stream/replication.ts';
import type { Settings } from '../config/settings.ts';
import type { SourceNames } from '../records/source-block.ts';
import { SqlLink } from '../connection/sql-link.ts';
import type { StreamDecoder } from '../stream/stream.ts';
import type { StreamWatch } from '../stream/stream-parts.ts';
import { capturedTables } from '../catalog/tables.ts';
import type { CapturedTable } from '../catalog/tables.ts';
import { blockingSnapshot } from './blocking-snapshot.ts';
import type { FileDesk } from './file-channel.ts';
import { PendingSignals } from './pending-signals.ts';
import { deletedId, insertedSignal } from './signal-rows.ts';
import { isTable } from '../config/signal-settings.ts';
import { actionOf, tableMatcher } from './signal.ts';
import type { Signal, SnapshotRequest } from './signal.ts';

/** How soon what waits for a quiet moment of an idle stream finds it. */
const quietEveryMs = 50;
const retryMs = 1_000;

export interface DeskParts {
  readonly settings: Settings;
  readonly names: SourceNames;
  readonly context: RecordContext;
  readonly queue: RecordQueue;
  readonly log: Logger;
  readonly connector: Connector;
  readonly notifier: Notifier;
  /** The stored one that the task begins with. */
  readonly offset: OffsetMap | undefined;
  readonly figure: (name: string, value: number) => void;
  readonly failed: (error: Error) => void;
}

export class SignalDesk implements StreamWatch, FileDesk {
  readonly #parts: DeskParts;
  readonly #stopping = new AbortController();
  readonly #sql: SqlLink;
  readonly #pending: PendingSignals;
  readonly #incremental: IncrementalSnapshot;
  readonly #relations = new Map<number, Relation>();
  readonly #layouts = new Map<number, TableLayout>();
  #signalOid = 0;
  #closedMark: string | undefined;
  #stream: { readonly decoder: StreamDecoder; readonly replication: Replication } | undefined;
  #standing = false;
  #onQuiet: ((place: Place) => void) | undefined;
  #arrived = Promise.withResolvers<void>();
  #running: Promise<unknown> | undefined;

  constructor(parts: DeskParts) {
    this.#parts = parts;
    const { connector, offset, queue } = parts;
    this.#sql = new SqlLink(connector);
    this.#pending = new PendingSignals(offset);
    const place = (): Place | undefined => this.#place();
    this.#incremental = new IncrementalSnapshot({ ...parts, sql: this.#sql, signal: this.#stopping.signal, place }, readState(offset));
    queue.offsetFields = () => {
      const { fields } = this.#incremental;
      const waiting = this.#pending.fields;
      return waiting === undefined ? fields : { ...fields, ...waiting };
    };
  }

  /** The stream is about to begin, or to begin again. */
  start(): void {
    if (this.#running !== undefined) return;
    const quiet = setInterval(() => this.#quiet(), quietEveryMs);
    this.#running = Promise.all([this.#incremental.run(), this.#work()]).finally(() => clearInterval(quiet));
    this.#running.catch((error: unknown) => this.#parts.failed(error as Error));
  }

  /** A connection of the stream begins. */
  attach(decoder: StreamDecoder, replication: Replication): void {
    this.#stream = { decoder, replication };
    if (this.#standing) replication.hold();
  }

  detach(): void {
    this.#stream = undefined;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#arrived.resolve();
    this.#incremental.wakeUp();
    await this.#sql[Symbol.asyncDispose]();
    await this.#running?.catch(() => {});
  }

  /** From another channel than the table. */
  arrive(signal: Signal): void {
    this.#receive(signal);
  }

  /** An offset was stored. */
  stored(offset: OffsetMap): void {
    this.#pending.stored(offset);
  }

  untilStored(mark: string): Promise<void> {
    return this.#pending.untilStored(mark);
  }

  get mark(): string | undefined {
    return this.#pending.mark;
  }

  forgetMark(): void {
    this.#pending.forgetMark();
  }

  /** Whether an offset is to be stored soon, though nothing else may be new in it. */
  get awaitsStore(): boolean {
    return this.#pending.awaitsStore;
  }

  layoutChanged(relation: Relation, layout: TableLayout): void {
    this.#relations.set(relation.oid, relation);
    if (isTable(this.#parts.settings.signals.table, relation.schema, relation.table)) this.#signalOid = relation.oid;
    if (relation.oid === this.#incremental.oid && this.#layouts.get(relation.oid) !== layout) this.#incremental.layoutChanged();
    this.#layouts.set(relation.oid, layout);
  }

  row(oid: number, layout: TableLayout, operation: 'c' | 'u' | 'd', bytes: Uint8Array, at: number, end: number, skipped: boolean): void {
    if (oid === this.#signalOid) this.#signalRow(layout, operation, bytes, at, end);
    if (oid !== this.#incremental.oid || skipped) return;
    const relation = this.#relations.get(oid);
    if (relation !== undefined) this.#incremental.rowChanged(relation, operation, bytes, at, end);
  }

  truncated(oids: readonly number[]): void {
    if (oids.includes(this.#incremental.oid)) this.#incremental.truncated();
  }

  committed(xid: number | null): void {
    if (xid !== null) this.#incremental.committed(xid);
    if (this.#closedMark !== undefined) {
      this.#incremental.closeMarkSeen(this.#closedMark);
      this.#closedMark = undefined;
    }
    this.#quiet();
  }

  #signalRow(layout: TableLayout, operation: 'c' | 'u' | 'd', bytes: Uint8Array, at: number, end: number): void {
    const { closeByDelete, channels } = this.#parts.settings.signals;
    if (operation === 'd' && closeByDelete) this.#closedMark = deletedId(layout, bytes, at, end);
    if (operation !== 'c') return;
    const signal = insertedSignal(layout, bytes, at, end);
    if (signal === undefined)
      return this.#parts.log.warn('a row of the signal table is no signal: it takes the columns id, type and data, in this order');
    if (signal.type === 'snapshot-window-close') this.#closedMark = signal.id;
    else if (signal.type !== 'snapshot-window-open' && channels.has('source')) this.#receive(signal);
  }

  #receive(signal: Signal): void {
    const { log } = this.#parts;
    const action = actionOf(signal);
    log.debug(`signal "${signal.id}" of type ${signal.type}`, { data: signal.data });
    if (action.kind === 'none') return log.warn(`signal "${signal.id}" of type ${signal.type} is left out: ${action.why}`);
    if (action.kind === 'log') {
      const offset = JSON.stringify(this.#place()?.offset ?? {}, (_, value: unknown) =>
        typeof value === 'bigint' ? Number(value) : value,
      );
      return log.info(action.message.replace('{}', offset));
    }
    if (action.kind === 'mark') return;
    this.#pending.add(signal);
    this.#arrived.resolve();
  }

  async #work(): Promise<void> {
    const { log } = this.#parts;
    const { signal: stop } = this.#stopping;
    while (!stop.aborted) {
      const signal = this.#pending.first;
      if (signal === undefined) {
        await this.#arrived.promise;
        this.#arrived = Promise.withResolvers();
        continue;
      }
      try {
        await this.#deal(signal);
      } catch (error) {
        if (stop.aborted) return;
        const told = explain(error, `do what signal "${signal.id}" asks for`);
        log.warn(told.message);
        if (mayPass(told)) await sleep(retryMs, undefined, { signal: stop }).catch(() => {});
        else if (codeOf(error) !== undefined) this.#pending.done();
        else throw told;
      }
    }
  }

  async #deal(signal: Signal): Promise<void> {
    const action = actionOf(signal);
    if (action.kind === 'snapshot') {
      const { request } = action;
      const tables = await this.#tablesOf(request);
      if (request.blocking) await this.#blocking(request, tables);
      else {
        this.#incremental.add(request.id, this.#entriesOf(request, tables));
      }
    } else if (action.kind === 'pause') this.#incremental.pause();
    else if (action.kind === 'resume') this.#incremental.resume();
    else if (action.kind === 'stop') {
      const matchers = action.collections?.map((text) => tableMatcher(text));
      this.#incremental.stop((table) => matchers === undefined || matchers.some((matches) => matches(table)));
    }
    this.#pending.done();
  }

  /** In the order of the signal; in that of a snapshot where one expression means several. */
  async #tablesOf(request: SnapshotRequest): Promise<readonly CapturedTable[]> {
    const { settings, log } = this.#parts;
    const { signals } = settings;
    const captured = await this.#sql.use((client) => capturedTables(client, settings));
    const data = captured.filter(({ schema, table }) => !isTable(signals.table, schema, table));
    const found = request.collections.flatMap((text) => {
      const matches = tableMatcher(text);
      const tables = data.filter(({ schema, table }) => matches(`${schema}.${table}`));
      if (tables.length === 0) log.warn(`signal "${request.id}": no table that the connector captures is called ${text}`);
      return tables;
    });
    return [...new Set(found)];
  }

  #entriesOf(request: SnapshotRequest, tables: readonly CapturedTable[]) {
    const known = tables.map(({ schema, table }) => `${schema}.${table}`);
    // Told of as unknown when their turn comes.
    const unknown = request.collections.filter((text) => !known.some((id) => tableMatcher(text)(id)));
    return [...known, ...unknown].map((id) => {
      const filter = request.filterFor(id);
      return { id, condition: filter === null || filter.trim() === '' ? null : `(${filter})`, surrogateKey: request.surrogateKey };
    });
  }

  async #blocking(request: SnapshotRequest, tables: readonly CapturedTable[]): Promise<void> {
    if (tables.length === 0) return;
    const { log } = this.#parts;
    const { signal } = this.#stopping;
    const offset = await this.#standStill();
    log.info(`blocking snapshot: the stream stands still for ${tables.length} tables`);
    try {
      await blockingSnapshot({ ...this.#parts, signal }, request, tables, offset);
      log.info('blocking snapshot: done, the stream goes on');
    } finally {
      this.#standing = false;
      this.#stream?.replication.release();
    }
  }

  /** Stops the stream between two transactions. */
  #standStill(): Promise<OffsetMap> {
    const { promise, resolve, reject } = Promise.withResolvers<OffsetMap>();
    this.#stopping.signal.addEventListener('abort', () => reject(this.#stopping.signal.reason as Error), { once: true });
    this.#onQuiet = ({ offset, settle }) => {
      settle();
      this.#standing = true;
      this.#stream?.replication.hold();
      resolve(offset);
    };
    return promise;
  }

  /** Between two transactions, things that wait for that are done. */
  #quiet(): void {
    const { notifier } = this.#parts;
    if (this.#onQuiet === undefined && !notifier.hasWaiting && !this.#incremental.waits) return;
    const place = this.#place();
    if (place === undefined) return;
    if (notifier.hasWaiting) place.settle();
    notifier.flush(place.offset);
    this.#incremental.emitIfDue();
    const found = this.#onQuiet;
    this.#onQuiet = undefined;
    found?.(place);
  }

  #place(): Place | undefined {
    const decoder = this.#stream?.decoder;
    if (decoder === undefined || !isBetweenTransactions(decoder)) return undefined;
    const { reached, lastTxId, lastUs, lastCommit } = decoder;
    return { offset: commitOffset(reached, lastTxId, lastUs), reached, lastCommit, settle: () => decoder.settle() };
  }
}
