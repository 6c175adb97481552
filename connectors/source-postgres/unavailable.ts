/** Tells apart null and a value that PostgreSQL did not send because it did not change (TOAST). */
import { arraySchema, schemas, slotAbsent } from '@millrace/runtime/api';
import type { Header } from '@millrace/runtime/api';

import type { TableLayout } from './envelope.ts';

/**
 * Names the columns whose value in `after` is not the row's: null, or zero where the column is NOT NULL. Columns
 * for which unavailable.value.placeholder stands are not in it.
 */
export const unavailableHeader = '__millrace.unavailable';

const schema = arraySchema(schemas.string);

/** The headers, and one more where the new row at `base` lacks a value that nothing else tells of. */
export function headersWithUnavailable(
  { shape: { silent } }: TableLayout,
  slots: Int32Array,
  base: number,
  headers: readonly Header[],
): readonly Header[] {
  const lacking = silent.filter(({ slot }) => slots[base + 2 * slot] === slotAbsent).map(({ name }) => name);
  return lacking.length === 0 ? headers : [...headers, { key: unavailableHeader, schema, value: lacking }];
}
