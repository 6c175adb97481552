/** Random config of a connector, of keys whose every value both must understand alike. */
import type { Random } from '../chaos/seed.ts';
import type { Table } from './differential-tables.ts';
import { chance, pick } from './differential-types.ts';

export type Config = Readonly<Record<string, string>>;

/** Of column.mask.hash.v2. */
export const hashSalt = 'CzQMA0cB5K';

const modes: Readonly<Record<string, readonly string[]>> = {
  'decimal.handling.mode': ['precise', 'string', 'double'],
  'time.precision.mode': ['adaptive', 'adaptive_time_microseconds', 'connect', 'isostring', 'microseconds', 'nanoseconds'],
  'binary.handling.mode': ['bytes', 'base64', 'base64-url-safe', 'hex'],
  'hstore.handling.mode': ['json', 'map'],
  'interval.handling.mode': ['numeric', 'string'],
  'include.unknown.datatypes': ['true', 'false'],
  'tombstones.on.delete': ['true', 'false'],
  'skipped.operations': ['none', 'none', 't', 'u', 'd,t'],
  'value.converter.replace.null.with.default': ['true', 'false'],
  'value.converter.decimal.format': ['BASE64', 'NUMERIC'],
  'provide.transaction.metadata': ['true', 'false'],
  'include.schema.comments': ['true', 'false'],
  'schema.name.adjustment.mode': ['none', 'avro', 'avro_unicode'],
  'field.name.adjustment.mode': ['none', 'avro', 'avro_unicode'],
  'unavailable.value.placeholder': ['__debezium_unavailable_value', 'gone'],
  'publish.via.partition.root': ['true', 'false'],
  'money.fraction.digits': ['2', '2', '4'],
  'extended.headers.enabled': ['true', 'true', 'false'],
  'snapshot.mode': ['initial', 'initial', 'no_data'],
  'column.propagate.source.type': ['', '', '.*'],
  'column.mask.with.5.chars': ['', '', 'public\\..*\\..*_text'],
  'column.truncate.to.7.chars': ['', '', 'public\\..*\\..*_varchar'],
  [`column.mask.hash.v2.SHA-256.with.salt.${hashSalt}`]: ['', '', 'public\\..*\\..*_citext'],
  'debezium.bug.compatible': ['false', 'true'],
  'column.exclude.list': ['', '', 'public\\..*\\..*_inet'],
};

const unwrapping: readonly Config[] = [
  {},
  { 'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite', 'transforms.unwrap.add.fields': 'op,table' },
  { 'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite-with-tombstone', 'transforms.unwrap.add.headers': 'op' },
  { 'transforms.unwrap.delete.tombstone.handling.mode': 'drop' },
];

export function randomConfig(random: Random, tables: readonly Table[]): Config {
  const config: Record<string, string> = {};
  for (const [key, values] of Object.entries(modes)) {
    // Half of the keys keep their default in each config.
    const value = chance(random, 0.5) ? pick(random, values) : '';
    if (value !== '') config[key] = value;
  }
  const schemas = String(chance(random, 0.6));
  for (const side of ['key', 'value']) {
    config[`${side}.converter`] = 'org.apache.kafka.connect.json.JsonConverter';
    config[`${side}.converter.schemas.enable`] = schemas;
  }
  const keyed = tables.filter(({ columns, partitions }) => partitions.length === 0 && columns.some(({ required }) => required));
  if (keyed.length > 0 && chance(random, 0.3)) {
    const table = pick(random, keyed);
    const column = table.columns.find(({ required, name }) => required && /^c\d+_\w+$/.test(name));
    if (column !== undefined) config['message.key.columns'] = `public.${table.name}:${column.name}`;
  }
  if (chance(random, 0.2)) {
    const type = 'io.debezium.transforms.ExtractNewRecordState';
    Object.assign(config, { transforms: 'unwrap', 'transforms.unwrap.type': type }, pick(random, unwrapping));
  }
  return config;
}
