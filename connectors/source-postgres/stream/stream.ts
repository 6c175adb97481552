/**
 * Decodes a replication stream into records. Rows are handed over in the order they come; a relation's message
 * stops it until the catalog was asked; what was emitted before a restart is left out.
 */
import type { TableLayout } from '../records/envelope.ts';
import { isWantedTable } from '../config/filters.ts';
import { lsnOf, maxLsn } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import { MessageRecords } from './message-records.ts';
import { isBeyond } from '../position/offsets.ts';
import type { Place } from '../position/offsets.ts';
import { kinds, readBegin, readCommit, readLogicalMessage, readOrigin, readRelation, readTruncate } from '../pgoutput/messages.ts';
import type { Relation } from '../pgoutput/messages.ts';
import { ProtocolError } from '../pgoutput/reader.ts';
import { RowCheck } from '../records/row-check.ts';
import { firstPlace, nothingDone } from '../records/row-place.ts';
import { RowRecords } from '../records/row-records.ts';
import { processingScope, transactionScopeOf } from '../records/source-block.ts';
import { noCounts } from '../records/stream-counts.ts';
import type { StreamCounts } from '../records/stream-counts.ts';
import { StreamTables } from './stream-tables.ts';
import { transactionTopic } from '../records/topics.ts';
import { TransactionMarks, allDone, placeIn } from './transaction-marks.ts';
import type { OpenTransaction } from './transaction-marks.ts';
import { TransactionTally } from '../records/transaction-metadata.ts';
import { unlistedLabel } from './unlisted.ts';
import type { StreamParts, StreamStart } from './stream-parts.ts';

export class StreamDecoder {
  readonly #parts: StreamParts;
  readonly #rows: RowRecords;
  readonly #messages: MessageRecords;
  readonly #marks: TransactionMarks;
  readonly #counts: StreamCounts;
  readonly #skips: { readonly c: boolean; readonly u: boolean; readonly d: boolean; readonly t: boolean };
  readonly #tables = new StreamTables();
  /** The table of the last row; -1 when the next row is to be looked at first, whichever its table. */
  #lastOid = -1;
  #lastLayout: TableLayout | null = null;
  /** A row that waits for the layout of its table. */
  #aside: { readonly bytes: Uint8Array; readonly start: number; readonly end: number; readonly lsn: readonly [number, number] } | undefined;

  readonly #from: Lsn | undefined;
  #lastCommit: Lsn | undefined;
  /** Stored, or to be stored, between transactions; later offsets must not fall behind it, nor does what is confirmed. */
  #settled: Lsn | undefined;
  /** The transaction that is being read; of one that is an `echo`, nothing is wanted but its end. */
  #open: OpenTransaction | undefined;
  /** What was emitted before: everything up to here is left out. */
  #emitted: Place | undefined;
  #processing: readonly unknown[] = processingScope();
  /** One object for all rows: nobody keeps it. */
  readonly #place = firstPlace();

  /** The end of the last transaction that came, or a later position that the server said it had reached. */
  reached: Lsn = 0;
  lastTxId: number | null = null;
  lastUs: number | null = null;

  constructor(parts: StreamParts, start: StreamStart) {
    this.#parts = parts;
    const check = new RowCheck(parts.settings, parts.log, parts.counts);
    this.#rows = new RowRecords(parts.context, parts.queue, parts.settings, check, parts.reselect);
    this.#messages = new MessageRecords(parts);
    this.#marks = new TransactionMarks(parts.context, parts.queue, transactionTopic(parts.settings));
    this.#counts = parts.counts ?? noCounts();
    const { skipped } = parts.settings;
    this.#skips = { c: skipped.has('c'), u: skipped.has('u'), d: skipped.has('d'), t: skipped.has('t') };
    this.#from = start.from;
    this.#lastCommit = start.lastCommit;
    this.#emitted = start.last;
    this.reached = start.from ?? 0;
  }

  get inTransaction(): boolean {
    return this.#open !== undefined;
  }

  /** Where another stream would go on exactly after what this one emitted. */
  position(): StreamStart {
    const last = this.#emitted ?? (this.#open === undefined ? undefined : placeIn(this.#open, this.#place));
    const done = this.#done;
    return { phase: 'streaming', from: done ?? this.#from, lastCommit: done, last };
  }

  /** Everything up to `reached` is done, transactions or not: an offset that says so is on its way. */
  settle(): void {
    this.#settled = this.reached;
  }

  get #done(): Lsn | undefined {
    const [commit, settled] = [this.#lastCommit, this.#settled];
    return commit === undefined || settled === undefined ? (commit ?? settled) : maxLsn(commit, settled);
  }

  /** The last commit whose records were all emitted. */
  get lastCommit(): Lsn | undefined {
    return this.#lastCommit;
  }

  /** A new run of messages begins, which are processed at one time. */
  beginRun(): void {
    this.#processing = processingScope();
    if (this.#open !== undefined) this.#place.scopes = [this.#open.scope, this.#processing];
  }

  /** Null for a table that is not captured. */
  setLayout(oid: number, layout: TableLayout | null): void {
    this.#tables.setLayout(oid, layout);
    this.#lastOid = -1;
    const row = this.#aside;
    if (row === undefined) return;
    this.#aside = undefined;
    this.message(row.bytes, row.start, row.end, ...row.lsn);
  }

  /** One message of the output plugin: `bytes[start, end)`, which stay as they are for as long as records live. */
  message(bytes: Uint8Array, start: number, end: number, lsnHigh: number, lsnLow: number): void {
    switch (bytes[start]) {
      case kinds.insert:
        this.#row(bytes, start, end, lsnHigh, lsnLow, 'c');
        break;
      case kinds.update:
        this.#row(bytes, start, end, lsnHigh, lsnLow, 'u');
        break;
      case kinds.delete:
        this.#row(bytes, start, end, lsnHigh, lsnLow, 'd');
        break;
      case kinds.begin:
        this.#begin(bytes, start, end, lsnOf(lsnHigh, lsnLow));
        break;
      case kinds.commit:
        this.#commit(bytes, start, end);
        break;
      case kinds.relation:
        this.#relation(readRelation(bytes, start, end));
        break;
      case kinds.truncate:
        this.#truncate(bytes, start, end, lsnHigh, lsnLow);
        break;
      case kinds.message:
        this.#logicalMessage(bytes, start, end, lsnOf(lsnHigh, lsnLow));
        break;
      case kinds.origin:
        if (this.#open !== undefined) this.#open.echo = this.#parts.settings.skipsOrigin(readOrigin(bytes, start, end).name);
        break;
      case kinds.type:
        break;
      default:
        throw new ProtocolError(`a message of an unknown kind (${bytes[start]})`);
    }
  }

  #begin(bytes: Uint8Array, start: number, end: number, lsn: Lsn): void {
    const { commitLsn, commitUs, xid } = readBegin(bytes, start, end);
    const lastCommit = this.#lastCommit;
    // The server leaves these out by itself; were it ever not to, they would come twice.
    const skipped = lastCommit !== undefined && commitLsn < lastCommit;
    // Confirmed meanwhile, if it is another transaction: nothing of this one was emitted.
    if (!skipped && this.#emitted !== undefined && this.#emitted.txId !== xid) this.#emitted = undefined;
    const withTally = this.#parts.settings.transactionMetadata && !skipped;
    const tally = withTally ? new TransactionTally(xid, this.#emitted?.counts) : undefined;
    const offset = { lastCommit: this.#done, txId: xid, us: commitUs, tally };
    const scope = transactionScopeOf(commitUs, xid, lastCommit, undefined, this.#parts.xmin?.());
    const begun = tally === undefined || this.#emitted !== undefined;
    this.#open = { lsn, offset, scope, skipped, echo: false, begun };
    this.#place.row = -1;
    this.#place.transaction = offset;
    this.#place.scopes = [scope, this.#processing];
    this.lastTxId = xid;
    this.lastUs = commitUs;
  }

  #commit(bytes: Uint8Array, start: number, end: number): void {
    const { endLsn } = readCommit(bytes, start, end);
    if (this.#open?.skipped === false) {
      this.#marks.end(this.#open, endLsn);
      this.#lastCommit = endLsn;
      this.#emitted = undefined;
      this.#counts.transactions++;
      this.#counts.lagMs = Math.max(0, Date.now() - Math.floor(this.#open.offset.us / 1000));
    }
    this.#counts.lastTxId = this.lastTxId;
    this.#open = undefined;
    this.#place.row = -1;
    if (endLsn > this.reached) this.reached = endLsn;
    this.#parts.watch?.committed(this.lastTxId);
  }

  #relation(relation: Relation): void {
    this.#tables.described(relation);
    if (isWantedTable(this.#parts.settings.filters, relation.schema, relation.table)) this.#parts.onRelation(relation);
    else this.setLayout(relation.oid, null);
  }

  /** Moves to the next row of the transaction; returns false when it was emitted before. */
  #next(lsnHigh: number, lsnLow: number): boolean {
    const open = this.#open;
    if (open === undefined) throw new ProtocolError('a row outside of a transaction');
    const place = this.#place;
    // As lsnOf, which is not inlined for its bigints.
    const lsn = lsnHigh < 0x20_0000 ? lsnHigh * 0x1_0000_0000 + lsnLow : lsnOf(lsnHigh, lsnLow);
    place.row = lsn === place.lsn ? place.row + 1 : 0;
    place.lsn = lsn;
    place.done = nothingDone;
    if (open.skipped || open.echo) return false;
    if (!open.begun) this.#marks.begin(open);
    return this.#emitted === undefined || this.#passes(this.#emitted);
  }

  #passes(emitted: Place): boolean {
    const { lsn, row } = this.#place;
    if (!isBeyond(lsn, row, allDone, emitted)) return false;
    // Some parts of this very row may be done.
    if (lsn === emitted.lsn && row === emitted.row) this.#place.done = emitted.part;
    else this.#emitted = undefined;
    return true;
  }

  #row(bytes: Uint8Array, start: number, end: number, lsnHigh: number, lsnLow: number, operation: 'c' | 'u' | 'd'): void {
    if (end - start < 6) throw new ProtocolError(`a row of ${end - start} bytes`);
    const oid =
      (((bytes[start + 1] as number) << 24) |
        ((bytes[start + 2] as number) << 16) |
        ((bytes[start + 3] as number) << 8) |
        (bytes[start + 4] as number)) >>>
      0;
    if (oid !== this.#lastOid && !this.#lookAt(oid, bytes, start, end, lsnHigh, lsnLow)) return;
    if (!this.#next(lsnHigh, lsnLow)) return;
    const layout = this.#lastLayout;
    const skipped = this.#skips[operation];
    if (layout !== null && this.#place.done < 0) this.#parts.watch?.row(oid, layout, operation, bytes, start + 5, end, skipped);
    // An update that changes the key counts as a delete and a create, which its reader finds out.
    if (layout === null || (skipped && operation !== 'u')) {
      this.#counts.filtered++;
    } else if (operation === 'c') {
      this.#counts.created++;
      this.#rows.insert(layout, bytes, start + 5, end, this.#place);
    } else if (operation === 'u') {
      if (skipped) this.#counts.filtered++;
      else this.#counts.updated++;
      this.#rows.update(layout, bytes, start + 5, end, this.#place);
    } else {
      this.#counts.deleted++;
      this.#rows.delete(layout, bytes, start + 5, end, this.#place);
    }
  }

  /** False when the row is put aside, since the schema of its table does not list a value of it. */
  #lookAt(oid: number, bytes: Uint8Array, start: number, end: number, lsnHigh: number, lsnLow: number): boolean {
    const layout = this.#tables.layout(oid);
    this.#lastLayout = layout;
    // Every row of a table with enums comes here; those of others only after a row of another table.
    this.#lastOid = layout === null || layout.shape.listed.length === 0 ? oid : -1;
    if (this.#lastOid === oid) return true;
    const unlisted = unlistedLabel(layout as TableLayout, bytes, start + 5, end);
    const relation = this.#tables.relation(oid);
    if (unlisted === undefined || relation === undefined) return true;
    this.#aside = { bytes, start, end, lsn: [lsnHigh, lsnLow] };
    this.#parts.onRelation(relation, unlisted);
    return false;
  }

  #truncate(bytes: Uint8Array, start: number, end: number, lsnHigh: number, lsnLow: number): void {
    const { relations } = readTruncate(bytes, start, end);
    if (!this.#next(lsnHigh, lsnLow)) return;
    if (this.#place.done < 0) this.#parts.watch?.truncated(relations);
    if (this.#skips.t) return;
    relations.forEach((oid, part) => {
      const layout = this.#tables.layout(oid);
      if (layout === null) return;
      this.#counts.others++;
      this.#rows.truncate(layout, part, this.#place);
    });
  }

  #logicalMessage(bytes: Uint8Array, start: number, end: number, lsn: Lsn): void {
    const message = readLogicalMessage(bytes, start, end);
    if (message.transactional) {
      const high = Number(BigInt(lsn) >> 32n);
      if (!this.#next(high, Number(BigInt(lsn) & 0xffff_ffffn)) || this.#place.done >= 0) return;
    } else if (this.#emitted !== undefined && lsn <= this.#emitted.lsn) {
      return;
    }
    // Nothing commits it, so that it counts as a commit of its own.
    if (!message.transactional) this.#lastCommit = lsn;
    if (!this.#parts.settings.messagePrefix(message.prefix)) return void this.#counts.filtered++;
    this.#counts.others++;
    const open = message.transactional ? this.#open : undefined;
    this.#messages.push(message, lsn, open ?? this.#between(), open === undefined ? 0 : this.#place.row);
  }

  /** Where something stands that is in no transaction. */
  #between(): Pick<OpenTransaction, 'offset' | 'scope'> {
    const us = this.lastUs ?? Math.floor(Date.now() * 1000);
    const scope = transactionScopeOf(us, null, this.#lastCommit, undefined, this.#parts.xmin?.());
    return { offset: { lastCommit: this.#done, txId: null, us }, scope };
  }
}
