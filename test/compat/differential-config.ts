/** Random config of a connector, of keys whose every value both must understand alike. */
import type { Random } from '../chaos/seed.ts';
import { chance, pick } from './differential-literals.ts';
import type { Table } from './differential-tables.ts';

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
  'unavailable.value.placeholder': ['__debezium_unavailable_value', 'gone', 'hex:676f6e65'],
  'publish.via.partition.root': ['true', 'false'],
  'money.fraction.digits': ['2', '2', '4'],
  'extended.headers.enabled': ['true', 'true', 'false'],
  'snapshot.mode': ['initial', 'initial', 'no_data', 'always', 'when_needed'],
  'snapshot.fetch.size': ['1', '100'],
  'snapshot.locking.mode': ['none', 'shared'],
  'snapshot.isolation.mode': ['serializable', 'repeatable_read', 'read_committed'],
  'publication.autocreate.mode': ['all_tables'],
  'topic.delimiter': ['.', '_'],
  'skip.messages.without.change': ['true', 'false'],
  'schema.refresh.mode': ['columns_diff', 'columns_diff_exclude_unchanged_toast'],
  'event.converting.failure.handling.mode': ['warn', 'skip'],
  'max.batch.size': ['7', '100'],
  'message.prefix.include.list': ['', 'aside', '.*'],
  'column.propagate.source.type': ['', '', '.*'],
  'datatype.propagate.source.type': ['', '', '.*\\.(numeric|int4|varchar)'],
  'column.mask.with.5.chars': ['', '', 'public\\..*\\..*_text'],
  'column.mask.with.0.chars': ['', '', '.*_(char|json|bit1)'],
  'column.truncate.to.7.chars': ['', '', 'public\\..*\\..*_varchar'],
  [`column.mask.hash.v2.SHA-256.with.salt.${hashSalt}`]: ['', '', 'public\\..*\\..*_citext'],
  'debezium.bug.compatible': ['false', 'true', 'true'],
};

/** Of which a config may have one at most; key columns (up to 4) stay, since Debezium dies without, or makes one key of all. */
const columnFilters: readonly Config[] = [
  { 'column.exclude.list': 'public\\..*\\..*([5-9]|\\d\\d)_inet' },
  { 'column.exclude.list': '.*\\.[cC]-([5-9]|\\d\\d)_.*' },
  { 'column.include.list': '.*\\.(id|type|data|part|k|[cC][ -]?([0-4]_.*|\\d+_[^u].*))' },
];

const unwrap = (more: Config = {}): Config => ({
  transforms: 'unwrap',
  'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
  ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`transforms.unwrap.${key}`, value])),
});

const transforms: readonly Config[] = [
  unwrap(),
  unwrap({ 'delete.tombstone.handling.mode': 'rewrite', 'add.fields': 'op,table' }),
  unwrap({ 'delete.tombstone.handling.mode': 'rewrite-with-tombstone', 'add.headers': 'op' }),
  unwrap({ 'delete.tombstone.handling.mode': 'drop' }),
  unwrap({ 'delete.tombstone.handling.mode': 'delete-to-tombstone', 'add.fields': 'source.schema:s,source.db:d', 'add.fields.prefix': '' }),
  unwrap({ 'replace.null.with.default': 'false', 'add.headers': 'source.table:t,db', 'add.headers.prefix': 'h.' }),
  {
    transforms: 'one',
    'transforms.one.type': 'io.debezium.transforms.ByLogicalTableRouter',
    'transforms.one.topic.regex': '(.*)_p\\d+',
    'transforms.one.topic.replacement': '$1_all',
  },
];

/** What the config says whatever the tables are. */
export function randomConfig(random: Random): Config {
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
  if (chance(random, 0.15)) config['key.converter'] = 'org.apache.kafka.connect.storage.StringConverter';
  if (chance(random, 0.3)) {
    // Marks in the signal table are transactions, too, of which each connector sees its own.
    delete config['provide.transaction.metadata'];
    config['incremental.snapshot.chunk.size'] = pick(random, ['1', '2', '1024']);
    config['incremental.snapshot.watermarking.strategy'] = pick(random, ['INSERT_INSERT', 'INSERT_DELETE']);
  }
  if (chance(random, 0.3)) Object.assign(config, pick(random, columnFilters));
  if (chance(random, 0.3)) Object.assign(config, pick(random, transforms));
  return config;
}

/** What it says of these tables. */
export function tableConfig(random: Random, tables: readonly Table[], general: Config): Config {
  const config: Record<string, string> = {};
  // Debezium does not start with names of blanks in these.
  const plain = tables.filter(({ name }) => !name.includes(' '));
  const keyed = plain.filter(({ columns, partitions }) => partitions.length === 0 && columns.some(({ required }) => required));
  if (keyed.length > 0 && chance(random, 0.3)) {
    const keys = [...new Set(Array.from({ length: random.between(1, 2) }, () => pick(random, keyed)))]
      .map((table) => messageKey(random, table))
      .filter(Boolean);
    if (keys.length > 0) config['message.key.columns'] = keys.join(';');
  }
  // Debezium dies of rows that have other columns than are included.
  const filtered = Object.keys(general).some((key) => /^column\.(in|ex)clude/.test(key));
  if (plain.length > 0 && !filtered && chance(random, 0.2)) {
    const { name, id } = pick(random, plain);
    const table = id.replaceAll('\\', '');
    config['snapshot.select.statement.overrides'] = table;
    config[`snapshot.select.statement.overrides.${table}`] = `select * from ${name} limit ${random.between(0, 3)}`;
  }
  return config;
}

function messageKey(random: Random, { id, columns }: Table): string | undefined {
  const chosen = columns.filter(({ required, name }) => required && /^c\d+_\w+$/.test(name)).slice(0, random.between(1, 2));
  return chosen.length === 0 ? undefined : `${id.replaceAll('\\', '')}:${chosen.map(({ name }) => name).join()}`;
}
