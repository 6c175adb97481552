/** Rows of the signal table, as the stream brings them: id, type and data are its first three columns. */
import type { TableLayout } from '../records/envelope.ts';
import { readTuple } from '../pgoutput/tuple.ts';
import type { Signal } from './signal.ts';

/** `at` is behind the relation's oid. Undefined for a table of fewer columns, and a row without a type. */
export function insertedSignal(layout: TableLayout, bytes: Uint8Array, at: number, end: number): Signal | undefined {
  const [id, type, data] = firstValues(layout, bytes, at, end);
  return id === undefined || type === undefined || id === null || type === null ? undefined : { id, type, data: data ?? null };
}

export const deletedId = (layout: TableLayout, bytes: Uint8Array, at: number, end: number): string | undefined =>
  firstValues(layout, bytes, at, end)[0] ?? undefined;

function firstValues({ shape }: TableLayout, bytes: Uint8Array, at: number, end: number): (string | null)[] {
  const slots = new Int32Array(2 * shape.width);
  readTuple(bytes, at + 1, end, shape.width, slots, 0);
  return shape.columns.slice(0, 3).map(({ slot }) => {
    const start = slots[2 * slot] as number;
    return start < 0 ? null : Buffer.from(bytes.buffer, bytes.byteOffset + start, (slots[2 * slot + 1] as number) - start).toString('utf8');
  });
}
