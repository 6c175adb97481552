/**
 * Reads tables chunk by chunk while the stream goes on. A chunk is one query; what the stream tells of the table from
 * before the query until the chunk is emitted is noted, and rows of the chunk that it told of are left out, since the
 * stream has them newer. The chunk is emitted between two transactions, once the stream has passed everything that the
 * query saw: behind the mark that was written into the signal table after it, or, where nothing is to be written,
 * behind the WAL position of the query. So no row comes after a newer change of it, nor before an older one.
 *
 * A transaction may be in the stream before queries see it (while it waits for a standby). Commits that the stream told
 * of before a chunk was begun are therefore looked for in the query's own snapshot; if one is missing, the chunk is
 * read again. Source: Netflix's DBLog (arXiv 2010.12597); Debezium's AbstractIncrementalSnapshotChangeEventSource.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { OffsetMap } from '@millrace/runtime/api';
import type { Client } from 'pg';

import type { Relation } from '../pgoutput/messages.ts';
import { RowCheck } from '../records/row-check.ts';
import { ChangedRows } from './changed-rows.ts';
import { judgeFailure } from './chunk-failure.ts';
import { createChunkReader } from './chunk-reader.ts';
import type { Chunk } from './chunk-reader.ts';
import type { IncrementalParts } from './incremental-parts.ts';
import { createMarks } from './marks.ts';
import { RecentCommits } from './pg-snapshot.ts';
import { SnapshotReport } from './snapshot-report.ts';
import type { CollectionEntry, SnapshotState } from './snapshot-state.ts';
import { findTarget } from './target.ts';
import type { Target } from './target.ts';
import { ChunkWindow } from './window.ts';
import type { Place } from './window.ts';

const retryMs = 50;
const maxRetryMs = 10_000;

export class IncrementalSnapshot {
  readonly #parts: IncrementalParts;
  readonly #state: SnapshotState;
  readonly #commits = new RecentCommits();
  readonly #read;
  readonly #marks;
  readonly #check: RowCheck;
  readonly #report: SnapshotReport;
  #target: Target | undefined;
  #changed: ChangedRows | undefined;
  #window: ChunkWindow | undefined;
  #wake = Promise.withResolvers<void>();
  #fields: OffsetMap | undefined;

  constructor(parts: IncrementalParts, state: SnapshotState) {
    this.#parts = parts;
    this.#state = state;
    this.#report = new SnapshotReport(parts, state);
    const { settings, names, log } = parts;
    this.#read = createChunkReader(settings, names, log);
    this.#marks = createMarks(settings.signals, log);
    this.#check = new RowCheck(settings, log);
    this.#touched();
  }

  /** What every record's offset says of it. */
  get fields(): OffsetMap | undefined {
    return this.#fields;
  }

  /** The table whose changes it has to see; 0 while there is none. */
  get oid(): number {
    return this.#changed?.oid ?? 0;
  }

  add(id: string, entries: readonly CollectionEntry[]): void {
    const begins = !this.#state.running;
    this.#state.collections.push(...entries);
    this.#state.correlationId = id;
    if (begins) this.#report.notify('STARTED');
    this.#touched();
  }

  pause(): void {
    if (!this.#state.running || this.#state.paused) return;
    this.#state.paused = true;
    this.#report.notify('PAUSED');
    this.#touched();
  }

  resume(): void {
    if (!this.#state.paused) return;
    this.#state.paused = false;
    this.#report.notify('RESUMED');
    this.#touched();
  }

  /** Takes tables out; what was read of the current one and not emitted is dropped. */
  stop(isMeant: (table: string) => boolean): void {
    const state = this.#state;
    const stopped = state.collections.filter(({ id }) => isMeant(id));
    if (stopped.length === 0) return this.#parts.log.warn('stop-snapshot: no such table is being read, or waits to be');
    const current = state.current;
    state.collections = state.collections.filter((entry) => !stopped.includes(entry));
    if (state.current !== current) this.#forgetTable();
    this.#report.notify('ABORTED', { data_collections: stopped.map(({ id }) => id).join(',') });
    this.#parts.log.info(`incremental snapshot: stopped for ${stopped.map(({ id }) => id).join(', ')}`);
    if (!state.running) this.#state.end();
    this.#touched();
  }

  rowChanged(relation: Relation, operation: 'c' | 'u' | 'd', bytes: Uint8Array, start: number, end: number): void {
    this.#changed?.add(relation, operation, bytes, start, end);
  }

  truncated(): void {
    if (this.#changed !== undefined) this.#changed.emptied = true;
  }

  /** Rows of the chunk may be of an older form than those that come. */
  layoutChanged(): void {
    if (this.#changed !== undefined) this.#changed.spoiled = true;
  }

  committed(xid: number): void {
    this.#commits.add(xid);
  }

  get waits(): boolean {
    return this.#window !== undefined;
  }

  closeMarkSeen(id: string): void {
    this.#window?.markSeen(id);
  }

  /** To be called between transactions. */
  emitIfDue(): void {
    const window = this.#window;
    const place = window === undefined ? undefined : this.#parts.place();
    if (window === undefined || place === undefined || !window.isDue(place.reached)) return;
    this.#window = undefined;
    const wanted = window.entry === this.#state.current;
    if (wanted && !window.changed.spoiled) {
      try {
        this.#emit(window, place);
      } catch (error) {
        // Who calls may be a timer.
        return this.#parts.failed(error as Error);
      }
    } else if (wanted) {
      this.#report.chunkSpoiled(window.chunk);
    }
    this.#changed = undefined;
    window.done();
  }

  #emit(window: ChunkWindow, place: Place): void {
    const kept = window.emit(this.#parts, this.#check, place, (key) => {
      this.#state.lastKey = key;
      this.#fields = this.#state.fields();
    });
    this.#report.chunkEmitted(window.chunk, kept);
    this.#touched();
  }

  /** Until the signal aborts. */
  async run(): Promise<void> {
    const { log, signal, failed } = this.#parts;
    let tries = 0;
    if (this.#state.running)
      log.info(`incremental snapshot: goes on with ${this.#report.tables}${this.#state.paused ? ', once it is resumed' : ''}`);
    while (!signal.aborted) {
      if (!this.#state.running || this.#state.paused) {
        await this.#wake.promise;
        continue;
      }
      const entry = this.#state.current;
      try {
        await this.#oneWindow();
        tries = 0;
      } catch (error) {
        this.#window = undefined;
        this.#changed = undefined;
        this.#target = undefined;
        if (signal.aborted) return;
        const failure = judgeFailure(error, entry?.id ?? '');
        if (failure.kind === 'refuse') this.#refuse(entry, failure.status, failure.error.message);
        else if (failure.kind === 'again') {
          const waitMs = Math.min(retryMs * 2 ** tries++, maxRetryMs);
          log.warn(`${failure.error.message} Trying again in ${waitMs} ms.`);
          await sleep(waitMs, undefined, { signal }).catch(() => {});
        } else return failed(failure.error);
      }
    }
  }

  wakeUp(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers();
    resolve();
  }

  async #oneWindow(): Promise<void> {
    const { sql, settings, signal } = this.#parts;
    const chunkId = randomUUID();
    await sql.use((client) => this.#marks.open(client, chunkId));
    const chunk = await sql.use((client) => this.#nextChunk(client));
    const entry = this.#state.current;
    const changed = this.#changed;
    const closes = `${chunkId}-${settings.signals.closeByDelete ? 'open' : 'close'}`;
    const window = chunk && entry && changed && new ChunkWindow(entry, chunk, changed, closes);
    this.#window = window;
    const behind = await sql.use((client) => this.#marks.close(client, chunkId));
    if (window === undefined) return;
    window.passAt(behind ?? window.chunk.lsn);
    this.emitIfDue();
    await window.finished(signal);
  }

  /** The next chunk with rows; undefined when everything is read. */
  async #nextChunk(client: Client): Promise<Chunk | undefined> {
    const { signal } = this.#parts;
    for (;;) {
      signal.throwIfAborted();
      const entry = this.#state.current;
      if (entry === undefined || this.#state.paused) return undefined;
      const target = await this.#targetOf(client, entry);
      if (target === undefined) continue;
      this.#commits.mark();
      const changed = new ChangedRows(target.oid, target.identity);
      this.#changed = changed;
      const { lastKey: last, maximumKey: maximum } = this.#state;
      const chunk = await this.#read(client, { ...target, last, maximum });
      if (this.#state.current !== entry) continue;
      if (chunk.oid !== target.oid || chunk.identity.join() !== target.identity.join()) {
        // Known only now which changes to look for.
        target.oid = chunk.oid;
        target.identity = chunk.identity;
        continue;
      }
      if (this.#commits.unseenBy(chunk.snapshot)) {
        await sleep(retryMs, undefined, { signal });
        continue;
      }
      if (chunk.maximumKey === null) this.#tableDone('EMPTY');
      else if (chunk.rows.length === 0) this.#tableDone('SUCCEEDED');
      else {
        if (maximum === null) this.#report.tableBegins(entry.id, chunk.maximumKey);
        this.#state.maximumKey = chunk.maximumKey;
        this.#touched();
        this.#report.chunk(entry.id, chunk);
        return chunk;
      }
    }
  }

  async #targetOf(client: Client, entry: CollectionEntry): Promise<Target | undefined> {
    if (this.#target?.entry === entry) return this.#target;
    const target = await findTarget(client, this.#parts.settings, entry);
    if (this.#state.current !== entry) return undefined;
    if (target === undefined) {
      this.#refuse(entry, 'UNKNOWN_SCHEMA', `${entry.id} is no table that the connector captures`);
      return undefined;
    }
    this.#target = target;
    return target;
  }

  #refuse(entry: CollectionEntry | undefined, status: string, why: string): void {
    if (entry === undefined || this.#state.current !== entry) return;
    this.#parts.log.warn(`incremental snapshot: ${why}; it goes on without the table`);
    this.#tableDone(status);
  }

  #tableDone(status: string): void {
    this.#report.tableDone(this.#state.current?.id ?? '', status);
    this.#state.next();
    this.#forgetTable();
    if (!this.#state.running) {
      this.#report.notify('COMPLETED', {});
      this.#state.end();
    }
    this.#touched();
  }

  #forgetTable(): void {
    this.#target = undefined;
    this.#changed = undefined;
    this.#report.nextTable();
    this.#state.beginTable();
    this.#window?.done();
    this.#window = undefined;
  }

  #touched(): void {
    this.#fields = this.#state.fields();
    this.#report.figures();
    this.wakeUp();
  }
}
