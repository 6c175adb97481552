/** Rows as the server reads many at once: lines of COPY, array literals of a column. */
import { ByteSink } from '@millrace/runtime/api';

import { copyEscapes, escapesOf, newline, noEscapes, nullMark, tab } from './copy-text.ts';
import type { Plan, PlanColumn } from './plan.ts';
import type { RowChange } from './planner.ts';

const chunkBytes = 64 * 1024;
const backslash = 0x5c;

/** Within the quotes of an array's item. */
const itemEscapes = escapesOf({ '\\': '\\', '"': '"' });

/** Lines for COPY with these columns, or with all that the plan has, in pieces. */
export function* copyChunks(plan: Plan, columns: readonly number[] | undefined, items: readonly RowChange[]): Generator<Buffer> {
  const out = new ByteSink();
  for (let at = 0; at < items.length;) {
    const lines = columns === undefined ? linesFrom(items, at, out) : 0;
    if (lines === 0) line(plan, columns, items[at] as RowChange, out);
    at += Math.max(1, lines);
    if (out.position >= chunkBytes) {
      yield Buffer.from(out.bytes.subarray(0, out.position));
      out.clear();
    }
  }
  if (out.position > 0) yield Buffer.from(out.bytes.buffer, 0, out.position);
}

/** Copies lines that stand one behind the other, up to a chunk; returns how many. */
function linesFrom(items: readonly RowChange[], from: number, out: ByteSink): number {
  const { rows, row } = items[from] as RowChange;
  const start = rows.lineStart(row);
  if (start < 0) return 0;
  let end = rows.lineEnd(row);
  let next = from + 1;
  for (; next < items.length && end - start < chunkBytes; next++) {
    const item = items[next] as RowChange;
    if (rows.lineStart(item.row) !== end) break;
    end = rows.lineEnd(item.row);
  }
  out.copy(rows.text.bytes, start, end);
  return next - from;
}

function line(plan: Plan, columns: readonly number[] | undefined, { rows, row }: RowChange, out: ByteSink): void {
  const count = columns?.length ?? plan.columns.length;
  for (let place = 0; place < count; place++) {
    const at = columns?.[place] ?? place;
    const start = rows.start(row, at);
    if (place > 0) out.byte(tab);
    if (start < 0) out.text(nullMark);
    else copyEscaped(out, rows.text.bytes, start, rows.end(row, at), (plan.columns[at] as PlanColumn).plain ? noEscapes : copyEscapes);
  }
  out.byte(newline);
}

/** `{1,"a b",NULL}`: the items' values for one column. */
export function arrayText(plan: Plan, at: number, items: readonly RowChange[]): string {
  const { plain } = plan.columns[at] as PlanColumn;
  const out = new ByteSink();
  out.byte(0x7b);
  for (let place = 0; place < items.length; place++) {
    const { rows, row } = items[place] as RowChange;
    const start = rows.start(row, at);
    if (place > 0) out.byte(0x2c);
    if (start < 0) out.text('NULL');
    else if (plain) copyEscaped(out, rows.text.bytes, start, rows.end(row, at), noEscapes);
    else {
      out.byte(0x22);
      copyEscaped(out, rows.text.bytes, start, rows.end(row, at), itemEscapes);
      out.byte(0x22);
    }
  }
  out.byte(0x7d);
  return Buffer.from(out.bytes.buffer, 0, out.position).toString();
}

/** Appends `source[start, end)` with a backslash before each byte that `escapes` names. */
function copyEscaped(out: ByteSink, source: Uint8Array, start: number, end: number, escapes: Uint8Array): void {
  // Twice as many at worst.
  out.ensure(2 * (end - start));
  const { bytes } = out;
  let at = out.position;
  for (let from = start; from < end; from++) {
    const byte = source[from] as number;
    const escape = escapes[byte] as number;
    if (escape === 0) bytes[at++] = byte;
    else {
      bytes[at++] = backslash;
      bytes[at++] = escape;
    }
  }
  out.position = at;
}
