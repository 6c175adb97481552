/** How a table's columns appear: in keys as they are, in values as the column rules have them. */
import { ConfigError, withOptions } from '@millrace/runtime/api';
import type { Logger, Schema } from '@millrace/runtime/api';

import type { Rewrite } from '../config/column-rules.ts';
import type { ShownColumn } from './envelope.ts';
import { sourceTypeParameters } from '../values/source-type.ts';
import type { SourceType } from '../values/source-type.ts';
import { typeFor } from '../values/value-type.ts';
import type { ValueType } from '../values/value-type.ts';

/** The column with more parameters in its schema. */
export function withParameters(column: ShownColumn, more: Readonly<Record<string, string>>): ShownColumn {
  const schema = withOptions<Schema>(column.schema, { parameters: { ...column.schema.parameters, ...more } });
  return { ...column, schema, type: typeFor(column.type, schema) };
}

export const withSourceType = (column: ShownColumn, source: SourceType): ShownColumn =>
  withParameters(column, sourceTypeParameters(source, column.name));

/** The column with its values masked, hashed or cut. What cannot be masked stays, as in Debezium, and is warned about. */
export function rewritten(column: ShownColumn, rewrite: Rewrite, source: SourceType, name: string, log: Logger): ShownColumn {
  if (rewrite.kind === 'truncate') {
    if (source.length <= rewrite.length) return column;
    return converted(withParameters(column, { truncateLength: String(rewrite.length) }), (value) => cut(value, rewrite.length));
  }
  const masked = withParameters(column, { masked: 'true' });
  if (!source.character) {
    log.warn(
      `column ${name} is not masked, as in Debezium: its type, ${source.name}, is not one of characters. Leave it out with column.exclude.list.`,
    );
    return masked;
  }
  if (rewrite.kind === 'mask') return { ...masked, fixed: rewrite.text };
  return converted(masked, (value) => (typeof value === 'string' ? rewrite.hash(value).slice(0, source.length) : value));
}

/** Compiled into the column's own decoder, so that other columns cost nothing. */
function converted(column: ShownColumn, convert: (value: unknown) => unknown): ShownColumn {
  const { type, schema } = column;
  const decode: ValueType['decode'] = (bytes, start, end) => convert(type.decode(bytes, start, end));
  const zero = convert(type.zero);
  return {
    ...column,
    type: { ...type, form: 'other', decode, zero, unavailable: convert(type.unavailable) },
    leftOut: schema.defaultValue === undefined || schema.defaultValue === null ? zero : convert(schema.defaultValue),
  };
}

function cut(value: unknown, length: number): unknown {
  if (typeof value === 'string') {
    if (value.length <= length) return value;
    // Not through the middle of a character of two units.
    const split = length > 0 && value.codePointAt(length - 1) !== value.charCodeAt(length - 1);
    return value.slice(0, split ? length - 1 : length);
  }
  return value instanceof Uint8Array ? value.subarray(0, length) : value;
}

/** Throws a ConfigError when two columns would have one name in records. */
export function checkFields(columns: readonly ShownColumn[], table: string): void {
  const seen = new Map<string, string>();
  for (const { name, field } of columns) {
    const other = seen.get(field);
    if (other !== undefined) {
      throw new ConfigError(`table ${table}: columns "${other}" and "${name}" would both be field "${field}".`, {
        hint: 'Set field.name.adjustment.mode=avro_unicode or none, or leave one of them out with column.exclude.list.',
      });
    }
    seen.set(field, name);
  }
}
