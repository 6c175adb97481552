/**
 * A column's type as JDBC tells it: its name, length and scale. Debezium puts them into schemas
 * (column.propagate.source.type), and goes by the length where it cuts values.
 * Source: io.debezium.relational.mapping.PropagateSourceMetadataToSchemaParameter; org.postgresql.jdbc.TypeInfoCache.
 */
import type { TypeInfo, TypeLookup } from './resolve.ts';

/** Debezium reads the two from different places, and some types look different there. */
export type Phase = 'snapshot' | 'stream';

export interface SourceType {
  readonly name: string;
  /** In characters, digits or bits. */
  readonly length: number;
  readonly scale: number | undefined;
  /** Whether its values are text that may be masked. */
  readonly character: boolean;
}

const unlimited = 2_147_483_647;
/** The longest a numeric is when printed. */
const longestNumeric = 131_089;
const characters = new Set(['text', 'varchar', 'bpchar', 'char', 'name', 'citext']);
const serials: Readonly<Record<string, string>> = { int2: 'smallserial', int4: 'serial', int8: 'bigserial' };

/** Undefined for a type that the catalog does not know (any more). */
export function sourceType(
  oid: number,
  typmod: number,
  lookup: TypeLookup,
  phase: Phase,
  defaultText: string | null,
  compatible = false,
): SourceType | undefined {
  const named = lookup(oid);
  let root = named;
  let modifier = typmod;
  while (root?.kind === 'd') {
    if (modifier < 0) modifier = root.baseTypmod;
    root = lookup(root.base);
  }
  if (named === undefined || root === undefined) return undefined;
  const item = root.item === 0 ? root : (lookup(root.item) ?? root);
  const kind = item.known ? item.name : '';
  const name = phase === 'snapshot' ? jdbcName(named, defaultText) : named.name;
  const character = isCharacter(root);
  if (kind === 'numeric' && modifier < 0) {
    const plain = phase === 'snapshot' && named.kind !== 'd' && root.item === 0;
    return { name, length: plain ? 0 : longestNumeric, scale: plain ? undefined : 0, character };
  }
  const scale = scaleOf(kind, modifier);
  // Debezium takes a negative scale for an unsigned number of eleven bits.
  return {
    name,
    length: lengthOf(kind, modifier),
    scale: compatible && kind === 'numeric' && scale !== undefined ? scale & 0x7ff : scale,
    character,
  };
}

/** pgjdbc's name: of a type that is not on the search path with its schema, of an integer that counts by itself a serial's. */
function jdbcName({ name, farSchema }: TypeInfo, defaultText: string | null): string {
  if (farSchema) return `"${farSchema}"."${name}"`;
  return defaultText?.startsWith("nextval('") === true ? (serials[name] ?? name) : name;
}

const isCharacter = ({ kind, item, known, name }: TypeInfo): boolean => kind === 'e' || (known && item === 0 && characters.has(name));

function lengthOf(kind: string, modifier: number): number {
  // Of a time: characters of its seconds' fraction, the point included. (pgjdbc counts two digits where there is one.)
  const fraction = modifier < 0 ? 7 : modifier === 0 ? 0 : modifier === 1 ? 3 : modifier + 1;
  switch (kind) {
    case 'int2':
      return 5;
    case 'int4':
    case 'oid':
      return 10;
    case 'int8':
      return 19;
    case 'float4':
      return 8;
    case 'float8':
      return 17;
    case 'bool':
    case 'char':
      return 1;
    case 'numeric':
      return ((modifier - 4) >> 16) & 0xffff;
    case 'bpchar':
    case 'varchar':
      return modifier < 0 ? unlimited : modifier - 4;
    case 'bit':
    case 'varbit':
      return modifier < 0 ? unlimited : modifier;
    case 'date':
      return 13;
    case 'time':
      return 8 + fraction;
    case 'timetz':
      return 14 + fraction;
    case 'timestamp':
      return 22 + fraction;
    case 'timestamptz':
      return 28 + fraction;
    case 'interval':
      return 49;
  }
  return unlimited;
}

function scaleOf(kind: string, modifier: number): number {
  switch (kind) {
    case 'float4':
      return 8;
    case 'float8':
      return 17;
    case 'numeric':
      // Eleven bits, signed.
      return (((modifier - 4) & 0x7ff) ^ 0x400) - 0x400;
    case 'time':
    case 'timetz':
    case 'timestamp':
    case 'timestamptz':
      return modifier < 0 ? 6 : modifier;
    case 'interval':
      return modifier < 0 ? 6 : modifier & 0xffff;
  }
  return 0;
}

/** The schema parameters that tell it; `column` is the name in the database. */
export const sourceTypeParameters = ({ name, length, scale }: SourceType, column: string): Record<string, string> => ({
  '__debezium.source.column.type': name.toUpperCase(),
  '__debezium.source.column.length': String(length),
  ...(scale === undefined ? {} : { '__debezium.source.column.scale': String(scale) }),
  '__debezium.source.column.name': column,
});
