/** Finds values of enums that a table's schema does not list: PostgreSQL does not tell the stream of new ones. */
import type { TableLayout } from '../records/envelope.ts';
import { readTuple } from '../pgoutput/tuple.ts';
import type { UnlistedLabel } from '../values/value-type.ts';

let slots = new Int32Array(0);

/** The first such value in the tuples of a row's message; `bytes[start, end)` is what follows the relation's oid. */
export function unlistedLabel({ shape }: TableLayout, bytes: Uint8Array, start: number, end: number): UnlistedLabel | undefined {
  const { listed, width } = shape;
  if (slots.length < 2 * width) slots = new Int32Array(2 * width);
  for (let at = start; at < end;) {
    at = readTuple(bytes, at + 1, end, width, slots, 0);
    for (const { slot, type } of listed) {
      const from = slots[2 * slot] as number;
      const found = from < 0 ? undefined : type.unlisted?.(bytes, from, slots[2 * slot + 1] as number);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
