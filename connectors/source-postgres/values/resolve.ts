/** From a column's type to how its values appear. */
import { arrayType } from './arrays.ts';
import { bitType, byteaType, unknownType } from './binary.ts';
import { hstoreType, pointType } from './composite.ts';
import { integerTypes } from './integers.ts';
import { floatTypes, moneyType, numericType } from './numbers.ts';
import { dateType, intervalType, timeType, timestampType, timestamptzType, timetzType } from './temporal.ts';
import { compatibleArray, compatibleType, compatibleUnknown } from './bug-compatible.ts';
import { enumType, textType } from './text.ts';
import type { Phase, ValueSettings, ValueType } from './value-type.ts';

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
  readonly baseDims: number;
  /** Of an enum, in order. */
  readonly labels: readonly string[];
  /** Whether PostgreSQL or an extension brought it, rather than a user: names of user types may mean anything. */
  readonly known: boolean;
  /** The schema of a type that is not on the search path, else null. */
  readonly farSchema?: string | null;
}

export type TypeLookup = (oid: number) => TypeInfo | undefined;

/** Of a column, beyond its type. */
export interface TypeUse {
  /** -1 without a modifier. */
  readonly typmod: number;
  /** How many dimensions it was declared with, if it is an array. */
  readonly dims?: number;
  readonly phase?: Phase;
}

/** Undefined for types that Debezium leaves out, unless `includeUnknown` is set: their text as bytes then. */
export function resolveType(oid: number, use: TypeUse, lookup: TypeLookup, settings: ValueSettings): ValueType | undefined {
  const known = knownType(oid, use, lookup, settings);
  if (known !== undefined || !settings.includeUnknown || isArray(oid, lookup)) return known;
  return settings.compatible ? compatibleUnknown(unknownType(settings), lookup(oid)?.name ?? '') : unknownType(settings);
}

function isArray(oid: number, lookup: TypeLookup): boolean {
  return (lookup(oid)?.item ?? 0) !== 0;
}

function knownType(oid: number, use: TypeUse, lookup: TypeLookup, settings: ValueSettings): ValueType | undefined {
  const type = lookup(oid);
  if (type === undefined) return undefined;
  if (type.kind === 'd') {
    const base = { typmod: use.typmod < 0 ? type.baseTypmod : use.typmod, dims: type.baseDims || (use.dims ?? 0) };
    const based = knownType(type.base, { ...use, ...base }, lookup, settings);
    // Debezium reads no defaults of types that it does not know by name.
    return based && { ...based, generated: undefined };
  }
  if (type.item !== 0) return arrayOf(type.item, use, lookup, settings);
  if (type.kind === 'e') return enumType(type, settings);
  if (!type.known) return undefined;
  const { typmod, phase = 'stream' } = use;
  return (settings.compatible ? compatibleType(type.name, typmod, settings, phase) : undefined) ?? namedType(type.name, typmod, settings);
}

function arrayOf(itemOid: number, use: TypeUse, lookup: TypeLookup, settings: ValueSettings): ValueType | undefined {
  const info = lookup(itemOid);
  if (info === undefined) return undefined;
  const { compatible, includeUnknown } = settings;
  // Arrays come through JDBC there, whatever the phase.
  const known = info.kind === 'd' ? undefined : knownType(itemOid, { typmod: use.typmod, phase: 'snapshot' }, lookup, settings);
  const item = known ?? (includeUnknown ? { ...unknownType(settings), itemsRequired: compatible } : undefined);
  if (item === undefined) return undefined;
  if (compatible) return compatibleArray(arrayType(item, info.name, settings), item, info.known ? info.name : '', settings);
  return arrayType(item, info.name, settings, Math.max(use.dims ?? 1, 1));
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
