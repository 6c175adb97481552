/** Rows as the server reads many at once: lines of COPY, array literals of a column. */
import type { Plan, PlanColumn } from './plan.ts';
import type { RowChange } from './planner.ts';
import { TextBytes } from './text-bytes.ts';

const chunkBytes = 64 * 1024;
const backslash = 0x5c;
const tab = 0x09;
const newline = 0x0a;

/** What follows the backslash, for each byte that needs one; 0 for all others. */
function escapesOf(pairs: Readonly<Record<string, string>>): Uint8Array {
  const escapes = new Uint8Array(256);
  for (const [byte, letter] of Object.entries(pairs)) escapes[byte.charCodeAt(0)] = letter.charCodeAt(0);
  return escapes;
}

const copyEscapes = escapesOf({ '\\': '\\', '\n': 'n', '\r': 'r', '\t': 't' });
/** Within the quotes of an array's item. */
const itemEscapes = escapesOf({ '\\': '\\', '"': '"' });
const noEscapes = escapesOf({});

/** Lines of COPY's text format, in pieces. Source: PostgreSQL, COPY, Text Format. */
export function* copyChunks(plan: Plan, columns: readonly number[], items: readonly RowChange[]): Generator<Buffer> {
  const escapes = columns.map((at) => ((plan.columns[at] as PlanColumn).plain ? noEscapes : copyEscapes));
  const out = new TextBytes();
  for (const { rows, row } of items) {
    for (let place = 0; place < columns.length; place++) {
      const at = columns[place] as number;
      const start = rows.start(row, at);
      if (place > 0) out.byte(tab);
      if (start < 0) out.text('\\N');
      else copyEscaped(out, rows.text.bytes, start, rows.end(row, at), escapes[place] as Uint8Array);
    }
    out.byte(newline);
    if (out.position >= chunkBytes) {
      yield Buffer.from(out.bytes.subarray(0, out.position));
      out.clear();
    }
  }
  if (out.position > 0) yield out.bytes.subarray(0, out.position);
}

/** `{1,"a b",NULL}`: the items' values for one column. */
export function arrayText(plan: Plan, at: number, items: readonly RowChange[]): string {
  const { plain } = plan.columns[at] as PlanColumn;
  const out = new TextBytes();
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
  return out.bytes.toString('utf8', 0, out.position);
}

const longRun = 256;

/** Appends `source[start, end)` with a backslash before each byte that `escapes` names. */
function copyEscaped(out: TextBytes, source: Buffer, start: number, end: number, escapes: Uint8Array): void {
  // Twice as many at worst.
  out.ensure(2 * (end - start));
  const { bytes } = out;
  let at = out.position;
  if (escapes === noEscapes && end - start > longRun) {
    source.copy(bytes, at, start, end);
    out.position = at + end - start;
    return;
  }
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
