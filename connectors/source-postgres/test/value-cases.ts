/** What tests of values share. */
import { Decimal } from '@millrace/runtime/api';
import type { Struct } from '@millrace/runtime/api';

import type { ValueSettings, ValueType } from '../values/value-type.ts';

export const standard: ValueSettings = {
  decimals: 'precise',
  times: 'adaptive',
  binary: 'bytes',
  intervals: 'numeric',
  hstore: 'json',
  moneyFractionDigits: 2,
  placeholder: '__debezium_unavailable_value',
  includeUnknown: false,
  compatible: false,
};
export const numeric = (precision: number, scale: number): number => ((precision << 16) | (scale & 0x7ff)) + 4;

/** In the middle of other bytes, where it stands in a row. */
export function decode(type: ValueType, text: string): unknown {
  const bytes = Buffer.from(`9-${text}0C`);
  return plain(type.decode(bytes, 2, bytes.length - 2));
}

export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object' && value !== null && 'schema' in value)
    return (value as Struct).schema.fields.map(({ index }) => plain((value as Struct).at(index)));
  return value;
}
