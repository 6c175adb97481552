/** What a snapshot has to read, cut into pieces that readers take one after another. */
import type { WireRow } from '@millrace/runtime/api';

import type { TableLayout } from '../records/envelope.ts';
import type { TableOverride } from './override-query.ts';
import type { SnapshotMarker } from '../records/source-block.ts';
import type { CapturedTable } from '../catalog/tables.ts';
import type { OpenTable } from '../position/progress.ts';
import { blockOf, everything, parseTid, startOfBlock } from '../position/tid.ts';
import type { Tid, TidRange } from '../position/tid.ts';

/** Where rows are: a table, or one partition of it. */
export interface Part {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  /** Rows of tables that inherit are read with those tables; a partitioned table has none of its own. */
  readonly only: boolean;
  readonly filenode: number;
  readonly pages: number;
  /** Whether it can be read by ranges of `ctid`, and so in the order of it. */
  readonly ranged: boolean;
  /** When going on: whether rows that changed since are to be read, too. */
  changedToo: boolean;
  /** Nobody reads these yet. */
  readonly left: TidRange[];
  /** Taken, and not all emitted. */
  readonly taken: Set<Piece>;
}

export interface TableReading {
  readonly layout: TableLayout;
  readonly override: TableOverride | undefined;
}

export interface TableWork {
  readonly table: CapturedTable;
  readonly parts: readonly Part[];
  readonly estimatedRows: number;
  /** Found out when the first reader comes to it. */
  reading: Promise<TableReading> | undefined;
  /** Emitted so far. */
  rows: number;
  /** The newest row, held back until it is known whether another follows. */
  held: HeldRow | undefined;
  begun: boolean;
}

export interface Piece {
  readonly work: TableWork;
  readonly part: Part;
  readonly range: TidRange;
  /** When going on: the rows that the snapshot saw, or those that it did not. */
  readonly which: 'seen' | 'changed';
  /** Whether each row bears its `ctid`, which costs the server a third more for a narrow row. */
  readonly placed: boolean;
  /** Of rows that do, the last that was emitted. */
  last: { readonly row: WireRow; readonly slot: number } | undefined;
  /** All its rows were read; one may still be held. */
  read: boolean;
}

/** A row that is not emitted yet, for its marker is not known. */
export interface HeldRow {
  readonly piece: Piece;
  readonly layout: TableLayout;
  readonly row: WireRow;
  readonly bytes: number;
  marker: SnapshotMarker;
}

/** All of a table as one part, of which one piece is read. */
export const wholePart = ({ oid, schema, table }: CapturedTable): Part => ({
  oid,
  schema,
  table,
  only: false,
  filenode: 0,
  pages: 0,
  ranged: false,
  changedToo: false,
  left: [everything],
  taken: new Set(),
});

/** Pieces below this are not worth a statement: 16 MiB of pages. */
const leastPages = 2_048;
/** So many pieces of a table for each reader, so that none waits long for the last of them. */
const piecesForEach = 4;

export interface Work {
  readonly tables: readonly TableWork[];
  /** The next piece, in the order of the tables; undefined when all are taken. */
  take(): Piece | undefined;
}

export function createWork(tables: readonly TableWork[], readers: number, resumable: boolean): Work {
  let at = 0;
  return {
    tables,
    take() {
      for (; at < tables.length; at++) {
        const work = tables[at] as TableWork;
        const part = work.parts.find(({ left, changedToo }) => left.length > 0 || changedToo);
        if (part === undefined) continue;
        const changed = part.left.length === 0;
        if (changed) part.changedToo = false;
        const range = changed ? everything : cut(part, readers);
        const placed = resumable && part.ranged && !changed;
        const piece: Piece = { work, part, range, which: changed ? 'changed' : 'seen', placed, last: undefined, read: false };
        part.taken.add(piece);
        work.begun = true;
        return piece;
      }
      return undefined;
    },
  };
}

function cut({ left, pages, ranged }: Part, readers: number): TidRange {
  const range = left.shift() as TidRange;
  if (!ranged || readers === 1) return range;
  const from = blockOf(range.after);
  const to = from + Math.max(leastPages, Math.ceil(pages / (readers * piecesForEach)));
  // The end stays open: pages that were added since hold no row of the snapshot, but cost nothing either.
  if (to >= (range.toBlock ?? pages)) return range;
  left.unshift({ after: startOfBlock(to), toBlock: range.toBlock });
  return { after: range.after, toBlock: to };
}

export const isRead = ({ parts }: TableWork): boolean =>
  parts.every(({ left, changedToo, taken }) => left.length === 0 && !changedToo && [...taken].every(({ read }) => read));

/** What of a part was not emitted yet; a piece that is `moving` stands at -1. */
export function rangesLeft({ left, taken }: Part, moving?: Piece): TidRange[] {
  const begun = [...taken]
    .filter(({ which }) => which === 'seen')
    .map((piece) => ({ after: piece === moving ? -1 : lastTid(piece), toBlock: piece.range.toBlock }));
  return [...begun, ...left].sort((a, b) => a.after - b.after);
}

const lastTid = ({ last, range }: Piece): Tid => (last === undefined ? range.after : parseTid(placeOf(last.row, last.slot)));

/** The `ctid` of a row that bears it. */
export function placeOf({ bytes, slots, base }: WireRow, slot: number): string {
  const at = base + 2 * slot;
  return (bytes as Buffer).toString('latin1', slots[at], slots[at + 1]);
}

export function openTable({ rows, parts }: TableWork, moving?: Piece): OpenTable {
  return { rows, parts: new Map(parts.map((part) => [part.oid, { filenode: part.filenode, left: rangesLeft(part, moving) }])) };
}
