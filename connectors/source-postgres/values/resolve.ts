/** From a column's type to how its values appear. */
import { arrayType } from './arrays.ts';
import { bitType, byteaType, unknownType } from './binary.ts';
import { hstoreType, pointType } from './composite.ts';
import { integerTypes } from './integers.ts';
import { floatTypes, moneyType, numericType } from './numbers.ts';
import { dateType, intervalType, timeType, timestampType, timestamptzType, timetzType } from './temporal.ts';
import { enumType, textType } from './text.ts';
import type { ValueSettings, ValueType } from './value-type.ts';

/** What pg_type says of a type. */
export interface TypeInfo {
  readonly oid: number;
  readonly name: string;
  /** typtype: base, enum, domain, range, composite, multirange, pseudo. */
  readonly kind: string;
  /** The item type of an array, else 0. */
  readonly item: number;
  /** Of a domain: what it is based on, else 0, and its type modifier. */
  readonly base: number;
  readonly baseTypmod: number;
  /** Of an enum, in order. */
  readonly labels: readonly string[];
  /** Whether PostgreSQL or an extension brought it, rather than a user: names of user types may mean anything. */
  readonly known: boolean;
}

export type TypeLookup = (oid: number) => TypeInfo | undefined;

// Debezium has no array of these.
const noArrays = new Set(['money', 'interval', 'varbit', 'xml', 'point', 'name']);

/** Undefined for types that Debezium leaves out, unless `includeUnknown` is set: their text as bytes then. */
export function resolveType(oid: number, typmod: number, lookup: TypeLookup, settings: ValueSettings): ValueType | undefined {
  return knownType(oid, typmod, lookup, settings) ?? (settings.includeUnknown && !isArray(oid, lookup) ? unknownType : undefined);
}

function isArray(oid: number, lookup: TypeLookup): boolean {
  return (lookup(oid)?.item ?? 0) !== 0;
}

function knownType(oid: number, typmod: number, lookup: TypeLookup, settings: ValueSettings): ValueType | undefined {
  const type = lookup(oid);
  if (type === undefined) return undefined;
  if (type.kind === 'd') return knownType(type.base, typmod < 0 ? type.baseTypmod : typmod, lookup, settings);
  if (type.item !== 0) return arrayOf(type.item, typmod, lookup, settings);
  if (type.kind === 'e') return enumType(type.labels, settings);
  return type.known ? namedType(type.name, typmod, settings) : undefined;
}

function arrayOf(itemOid: number, typmod: number, lookup: TypeLookup, settings: ValueSettings): ValueType | undefined {
  const info = lookup(itemOid);
  if (info === undefined || (info.known && noArrays.has(info.name))) return undefined;
  const item = info.kind === 'd' ? undefined : knownType(itemOid, typmod, lookup, settings);
  if (item !== undefined) return arrayType(item, info.name, settings);
  return settings.includeUnknown ? arrayType({ ...unknownType, itemsRequired: true }, info.name, settings) : undefined;
}

function namedType(name: string, typmod: number, settings: ValueSettings): ValueType | undefined {
  switch (name) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'oid':
    case 'bool':
      return integerTypes[name];
    case 'float4':
    case 'float8':
      return floatTypes[name];
    case 'numeric':
      return numericType(typmod, settings);
    case 'money':
      return moneyType(settings);
    case 'bytea':
      return byteaType(settings);
    case 'bit':
      return bitType(typmod, false);
    case 'varbit':
      return bitType(typmod, true);
    case 'date':
      return dateType(settings);
    case 'time':
      return timeType(typmod, settings);
    case 'timetz':
      return timetzType;
    case 'timestamp':
      return timestampType(typmod, settings);
    case 'timestamptz':
      return timestamptzType(typmod);
    case 'interval':
      return intervalType(settings);
    case 'point':
      return pointType;
    case 'hstore':
      return hstoreType(settings);
  }
  return textType(name, settings);
}
