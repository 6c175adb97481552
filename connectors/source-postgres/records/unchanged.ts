/** Updates that change nothing which records show (skip.messages.without.change). */
import { isDeepStrictEqual } from 'node:util';

import { slotAbsent, slotNull } from '@millrace/runtime/api';
import type { WireRow } from '@millrace/runtime/api';

import type { ShownColumn, TableLayout } from './envelope.ts';

type Slots = Pick<WireRow, 'bytes' | 'slots' | 'base'>;

/**
 * Whether the new row and the old one, which is whole, give the same `before` and `after`. Bytes are compared first;
 * where they differ, what they mean (masked, cut, or with fewer digits they may be the same).
 */
export const isUnchanged = ({ shape: { columns, width } }: TableLayout, row: Slots): boolean =>
  columns.every((column) => column.fixed !== undefined || sameBytes(row, column.slot, width) || sameValue(column, row, width));

function sameBytes({ bytes, slots, base }: Slots, slot: number, width: number): boolean {
  const [at, old] = [base + 2 * slot, base + 2 * (slot + width)];
  const [start, from] = [slots[at] as number, slots[old] as number];
  if (start < 0 || from < 0) return start === from;
  const length = (slots[at + 1] as number) - start;
  if ((slots[old + 1] as number) - from !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[from + i]) return false;
  return true;
}

function sameValue({ slot, type }: ShownColumn, { bytes, slots, base }: Slots, width: number): boolean {
  const value = (at: number): unknown => {
    const start = slots[at] as number;
    if (start === slotNull || start === slotAbsent) return start === slotNull ? null : type.unavailable;
    return type.decode(bytes, start, slots[at + 1] as number);
  };
  return isDeepStrictEqual(value(base + 2 * slot), value(base + 2 * (slot + width)));
}
