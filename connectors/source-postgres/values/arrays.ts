import { createHash } from 'node:crypto';

import { arraySchema, withOptions } from '@millrace/runtime/api';

import { itemsAt, parseItems } from './array-text.ts';
import type { ArrayItem } from './array-text.ts';
import { typeFor, utf8Text, valueType } from './value-type.ts';
import type { Decode, UnlistedLabel, ValueSettings, ValueType } from './value-type.ts';

/** An array of a type; `itemName` is the item type's name in pg_type, `dims` how many dimensions the column has. */
export function arrayType(item: ValueType, itemName: string, settings: ValueSettings, dims = 1): ValueType {
  const items = item.itemsRequired ? item.schema : withOptions(item.schema, { optional: true });
  let schema = arraySchema(items);
  for (let dim = 1; dim < dims; dim++) schema = arraySchema(schema);
  return valueType(schema, 'other', arrayDecoder(typeFor(item, items), dims), [], {
    unavailable: unavailableArray(itemName, item, settings),
    generated: undefined,
    ...(item.unlisted === undefined ? {} : { unlisted: unlistedItem(item.unlisted) }),
  });
}

function arrayDecoder(item: ValueType, dims: number): Decode {
  const decodeItems = (items: readonly ArrayItem[]): unknown[] =>
    items.map((text) => {
      if (text === null) return null;
      if (typeof text !== 'string') return decodeItems(text);
      const bytes = Buffer.from(text);
      return item.decode(bytes, 0, bytes.length);
    });
  return (bytes, start, end) => decodeItems(itemsAt(parseItems(utf8Text(bytes, start, end)), dims));
}

/** The first item that an enum's schema does not list. */
const unlistedItem =
  (unlisted: NonNullable<ValueType['unlisted']>): NonNullable<ValueType['unlisted']> =>
  (bytes, start, end) => {
    for (const text of itemsAt(parseItems(utf8Text(bytes, start, end)), 1)) {
      if (typeof text !== 'string') continue;
      const item = Buffer.from(text);
      const found: UnlistedLabel | undefined = unlisted(item, 0, item.length);
      if (found !== undefined) return found;
    }
    return undefined;
  };

/** What Debezium puts in place of an array that PostgreSQL did not send; null where it has nothing. */
export function unavailableArray(itemName: string, item: ValueType, { placeholder, binary }: ValueSettings): unknown {
  switch (itemName) {
    case 'text':
    case 'varchar':
    case 'json':
    case 'jsonb':
      return [placeholder];
    case 'int4':
    case 'int8':
      return codes(placeholder);
    case 'date':
      return item.schema.name === 'io.debezium.time.Date' ? codes(placeholder) : null;
    case 'uuid':
      return [nameUuid(placeholder)];
    case 'bytea':
      return binary === 'hex' || binary === 'base64-url-safe' ? null : [item.unavailable];
  }
  return null;
}

const codes = (text: string): number[] => [...Buffer.from(text)];

/** java.util.UUID.nameUUIDFromBytes. */
function nameUuid(text: string): string {
  const hash = createHash('md5').update(text).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x30;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
