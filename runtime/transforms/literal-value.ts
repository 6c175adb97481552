import { schemas } from '../api/index.ts';
import type { SchemaAndValue } from '../api/index.ts';

const whole = [
  [schemas.int8, 2n ** 7n],
  [schemas.int16, 2n ** 15n],
  [schemas.int32, 2n ** 31n],
  [schemas.int64, 2n ** 63n],
] as const;

/** What a literal in a config stands for: null, a boolean, the smallest number type, else a string (Values.parseString). */
export function literalValue(text: string): SchemaAndValue {
  if (text === 'null') return { schema: null, value: null };
  if (text === 'true' || text === 'false') return { schema: schemas.boolean, value: text === 'true' };
  if (/^[+-]?\d{1,19}$/.test(text)) {
    const value = BigInt(text.replace('+', ''));
    const type = whole.find(([, limit]) => value < limit && value >= -limit);
    if (type !== undefined) return { schema: type[0], value: type[0] === schemas.int64 ? value : Number(value) };
  }
  if (/^[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return { schema: schemas.float32, value: Math.fround(Number(text)) };
  return { schema: schemas.string, value: text };
}
