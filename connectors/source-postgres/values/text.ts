import { schemaOf, schemas } from '@millrace/runtime/api';

import { utf8Text, valueType } from './value-type.ts';
import type { UnlistedLabel, ValueSettings, ValueType } from './value-type.ts';

const named = (name: string) => schemaOf('string', { name, version: 1 });

const plain = ['text', 'varchar', 'bpchar'];
/** Of which Debezium reads no defaults. */
const others = ['char', 'name', 'citext'];
const networks = ['inet', 'cidr', 'macaddr', 'macaddr8'];
const ranges = ['int4range', 'int8range', 'numrange', 'tsrange', 'tstzrange', 'daterange'];
const bookNumbers = ['isbn', 'isbn13', 'issn', 'issn13', 'ismn', 'ismn13', 'ean13', 'upc'];

/** Types whose text in PostgreSQL is the value. */
export function textType(name: string, settings: ValueSettings): ValueType | undefined {
  const unavailable = settings.placeholder;
  const text = (schema = schemas.string, more = {}): ValueType => valueType(schema, 'text', utf8Text, '', { unavailable, ...more });
  if (plain.includes(name)) return text();
  if (others.includes(name) || networks.includes(name)) return text(schemas.string, { generated: undefined });
  if (ranges.includes(name) || bookNumbers.includes(name)) return text(schemas.string, { generated: undefined });
  switch (name) {
    case 'uuid':
      return text(named('io.debezium.data.Uuid'), { generated: '00000000-0000-0000-0000-000000000000' });
    case 'json':
    case 'jsonb':
      return text(named('io.debezium.data.Json'), { generated: '{}' });
    case 'xml':
      return text(named('io.debezium.data.Xml'));
    case 'tsvector':
      return text(named('io.debezium.data.Tsvector'), { generated: undefined, itemsRequired: settings.compatible });
    case 'ltree':
      return text(named('io.debezium.data.Ltree'), { generated: undefined });
  }
  return undefined;
}

interface Enum {
  readonly oid: number;
  readonly name: string;
  readonly labels: readonly string[];
}

/** Values that `labels` does not hold pass, but are `unlisted`. */
export function enumType({ oid, name, labels }: Enum, settings: ValueSettings): ValueType {
  const schema = schemaOf('string', { name: 'io.debezium.data.Enum', version: 1, parameters: { allowed: labels.join(',') } });
  const { placeholder, compatible } = settings;
  const more = { unavailable: placeholder, cast: `::${name}` };
  if (compatible) return valueType(schema, 'text', utf8Text, '', { ...more, itemsRequired: true });
  const listed = new Set(labels);
  const unlisted = (bytes: Uint8Array, start: number, end: number): UnlistedLabel | undefined => {
    const label = utf8Text(bytes, start, end);
    return listed.has(label) ? undefined : { type: oid, label };
  };
  return valueType(schema, 'text', utf8Text, '', { ...more, unlisted });
}
