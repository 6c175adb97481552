import { createHash } from 'node:crypto';

import { DataError, arraySchema, withOptions } from '@millrace/runtime/api';

import { typeFor, utf8Text, valueType } from './value-type.ts';
import type { Decode, ValueSettings, ValueType } from './value-type.ts';

/** An array of a type; `itemName` is the item type's name in pg_type. */
export function arrayType(item: ValueType, itemName: string, settings: ValueSettings): ValueType {
  const items = item.itemsRequired ? item.schema : withOptions(item.schema, { optional: true });
  return valueType(arraySchema(items), 'other', arrayDecoder(typeFor(item, items)), [], {
    unavailable: unavailableArray(itemName, item, settings),
    generated: undefined,
  });
}

function arrayDecoder(item: ValueType): Decode {
  const decodeItem = (text: string): unknown => {
    const bytes = Buffer.from(text);
    return item.decode(bytes, 0, bytes.length);
  };
  return (bytes, start, end) => {
    const values: unknown[] = [];
    for (const text of parseArray(utf8Text(bytes, start, end))) {
      const value = text === null ? null : decodeItem(text);
      // An item that cannot be had, or a null where items are required, empties the whole array in Debezium.
      if (value === null && (text !== null || item.itemsRequired)) return null;
      values.push(value);
    }
    return values;
  };
}

/** The items of an array in PostgreSQL's text format, in order; those of inner arrays too. Throws a DataError. */
export function parseArray(text: string): (string | null)[] {
  const items: (string | null)[] = [];
  // Bounds other than from 1 on are written before: `[0:1]={1,2}`.
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
  if (text[at] !== '{') throw new DataError(`"${text.slice(0, 40)}" is not an array`);
  let depth = 0;
  while (at < text.length) {
    const char = text[at] as string;
    if (char === '{') {
      depth++;
      at++;
    } else if (char === '}') {
      depth--;
      at++;
    } else if (char === ',') {
      at++;
    } else if (char === '"') {
      let item = '';
      for (at++; at < text.length && text[at] !== '"'; at++) {
        if (text[at] === '\\') at++;
        item += text[at];
      }
      at++;
      items.push(item);
    } else {
      const from = at;
      while (at < text.length && text[at] !== ',' && text[at] !== '}') at++;
      const item = text.slice(from, at);
      items.push(item === 'NULL' ? null : item);
    }
  }
  if (depth !== 0) throw new DataError(`"${text.slice(0, 40)}" is not a complete array`);
  return items;
}

/** What Debezium puts in place of an array that PostgreSQL did not send; null where it has nothing. */
function unavailableArray(itemName: string, item: ValueType, { placeholder, binary }: ValueSettings): unknown {
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
      return binary === 'hex' ? null : [item.unavailable];
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
