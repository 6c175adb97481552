/** From rows that several readers bring to records, with Debezium's markers and offsets that tell how far all of them are. */
import type { Logger, OffsetMap, WireRow } from '@millrace/runtime/api';

import { RowCheck } from '../records/row-check.ts';
import { readCopyRow } from './copy-rows.ts';
import type { CopyHandler } from './copy-rows.ts';
import type { TableLayout } from '../records/envelope.ts';
import { snapshotOffset } from '../position/offsets.ts';
import type { RecordQueue } from '../records/queue.ts';
import { rowRecord } from '../records/records.ts';
import type { RecordContext } from '../records/records.ts';
import type { Settings } from '../config/settings.ts';
import { SlotArena } from '../records/slot-arena.ts';
import { processingScope, transactionScopeOf } from '../records/source-block.ts';
import type { SnapshotMarker } from '../records/source-block.ts';
import { progressKey, progressText } from '../position/progress.ts';
import type { OpenTable, SnapshotMoment, SnapshotProgress } from '../position/progress.ts';
import { isRead, openTable, placeOf } from './work.ts';
import type { HeldRow, Piece, TableWork } from './work.ts';

export interface WriterParts {
  readonly context: RecordContext;
  readonly queue: RecordQueue;
  readonly settings: Settings;
  readonly log: Logger;
  /** Whether offsets tell how to go on. */
  readonly resumable: boolean;
  /** Of a snapshot for which the stream stands still: where it stands, which all offsets say. */
  readonly standsAt?: OffsetMap;
}

/**
 * Each table's newest row is held until another row of the table comes, and the last row of all until the end, since
 * they are marked. Each record's offset is exact, so that nothing repeats where records and offsets are written
 * together, wherever their batches are cut.
 */
export class SnapshotWriter {
  rows: number;
  bytes = 0;
  readonly #parts: WriterParts;
  readonly #moment: SnapshotMoment;
  readonly #arena = new SlotArena();
  readonly #check: RowCheck;
  readonly #scope: readonly unknown[];
  readonly #open = new Set<TableWork>();
  #done: string;
  readonly #offset: OffsetMap;
  #run: HeldRow[] = [];
  /** The last row of the table that ended last. */
  #ended: HeldRow | undefined;

  constructor(parts: WriterParts, moment: SnapshotMoment, before: SnapshotProgress | undefined, tables: readonly TableWork[]) {
    this.#parts = parts;
    this.#check = new RowCheck(parts.settings, parts.log);
    this.#moment = moment;
    const { standsAt } = parts;
    this.#scope = transactionScopeOf(moment.us, moment.txId, standsAt && moment.lsn, moment.lsn);
    this.#done = before?.done.join() ?? '';
    this.rows = before?.rows ?? 0;
    for (const work of tables) if (work.begun) this.#open.add(work);
    this.#offset = standsAt ?? Object.freeze(snapshotOffset(moment.lsn, moment.txId, moment.us, false));
  }

  /** Takes the rows of a piece, in the order of their places. */
  receiver(piece: Piece, layout: TableLayout): CopyHandler {
    const { work, placed } = piece;
    this.#open.add(work);
    const { width } = layout.shape;
    const columns = placed ? width + 1 : width;
    let scopes: WireRow['scopes'] = [];
    return {
      begin: () => {
        scopes = [this.#scope, processingScope()];
      },
      row: (bytes, start, end) => {
        const base = this.#arena.reserve(2 * columns);
        const { slots } = this.#arena;
        readCopyRow(bytes, start, end, columns, slots, base);
        const ended = this.#ended;
        this.#ended = undefined;
        if (ended !== undefined) this.#emit(ended, true, false);
        const { held } = work;
        work.held = { piece, layout, row: { bytes, slots, base, scopes, own: nothing }, bytes: end - start, marker: 'true' };
        if (held !== undefined) this.#emit(held, false, false);
      },
      end: () => this.flush(),
    };
  }

  /** All rows of the piece came. With the last piece of a table, returns how many rows the table had. */
  read(piece: Piece): number | undefined {
    const { work, part } = piece;
    piece.read = true;
    if (work.held?.piece !== piece) part.taken.delete(piece);
    if (!isRead(work)) return undefined;
    const { held } = work;
    const rows = work.rows + (held === undefined ? 0 : 1);
    work.held = undefined;
    if (held === undefined) {
      this.#close(work);
    } else {
      const ended = this.#ended;
      this.#ended = held;
      if (ended !== undefined) this.#emit(ended, true, false);
    }
    this.flush();
    return rows;
  }

  end(): void {
    const ended = this.#ended;
    this.#ended = undefined;
    if (ended !== undefined) this.#emit(ended, true, true);
    const { lsn, txId, us } = this.#moment;
    this.#flush(this.#parts.standsAt ?? Object.freeze(snapshotOffset(lsn, txId, us, true)));
  }

  flush(): void {
    this.#flush();
  }

  /** That of what was emitted: for what is not a row. */
  offset(): OffsetMap {
    this.flush();
    if (!this.#parts.resumable || this.rows === 0) return this.#offset;
    const [text] = progressText(this.#moment.sees, this.rows, this.#done, this.#openTables());
    return { ...this.#offset, [progressKey]: text };
  }

  /** What was emitted; rows that are held were not. Undefined while there is nothing, or nothing that could be gone on from. */
  progress(): SnapshotProgress | undefined {
    this.flush();
    if (!this.#parts.resumable || this.rows === 0) return undefined;
    const done = this.#done === '' ? [] : this.#done.split(',').map(Number);
    return { ...this.#moment, rows: this.rows, done, open: this.#openTables() };
  }

  #emit(held: HeldRow, lastInTable: boolean, last: boolean): void {
    const { piece, row, layout } = held;
    const { work, part } = piece;
    const run = this.#run;
    if (run.length > 0 && (run[0]?.piece !== piece || piece.read || last)) this.flush();
    held.marker = markerOf(this.rows === 0, work.rows === 0, lastInTable, last);
    this.rows++;
    work.rows++;
    this.bytes += held.bytes;
    if (piece.placed) piece.last = { row, slot: layout.shape.width };
    if (piece.read) part.taken.delete(piece);
    if (lastInTable) this.#close(work);
    this.#run.push(held);
  }

  #close(work: TableWork): void {
    this.#open.delete(work);
    this.#done += `${this.#done === '' ? '' : ','}${work.table.oid}`;
  }

  #openTables(moving?: Piece): Map<number, OpenTable> {
    return new Map(Array.from(this.#open, (work) => [work.table.oid, openTable(work, moving)]));
  }

  /** All rows of a run are of one piece, whose place is all that their offsets differ in. */
  #flush(last?: OffsetMap): void {
    const { context, queue, resumable } = this.#parts;
    const run = this.#run;
    if (run.length === 0) return;
    this.#run = [];
    const { piece } = run[0] as HeldRow;
    const open = this.#openTables(piece.placed ? piece : undefined);
    const [before, behind] = resumable ? progressText(this.#moment.sees, this.rows, this.#done, open) : [];
    for (const { layout, row, bytes, marker } of run) {
      const { keySchema, newKey, valueSchema, shape } = layout;
      const text = before === undefined || behind === undefined ? before : `${before}${placeOf(row, shape.width)}${behind}`;
      const offset = last ?? (text === undefined ? this.#offset : { ...this.#offset, [progressKey]: text });
      const headers = this.#check.headers('new', layout, row.bytes, row.slots, row.base, context.headers);
      if (headers === undefined) continue;
      queue.push(rowRecord(context, shape.topic, keySchema, newKey, valueSchema, layout.read(marker), row, headers, offset), bytes);
    }
  }
}

const nothing: readonly unknown[] = Object.freeze([]);

function markerOf(first: boolean, firstInTable: boolean, lastInTable: boolean, last: boolean): SnapshotMarker {
  if (last) return 'last';
  if (first) return 'first';
  if (lastInTable) return 'last_in_data_collection';
  return firstInTable ? 'first_in_data_collection' : 'true';
}
