/** What a task goes by, whichever peer's names the config has. */
import { ConfigError, Secret } from '@millrace/runtime/api';
import type { ConfigProblem, RawConfig } from '@millrace/runtime/api';

import { parseAddress } from './address.ts';
import type { Address } from './address.ts';
import type { ConfluentConfig } from './config-confluent.ts';
import type { DebeziumConfig } from './config-debezium.ts';

export type InsertMode = 'insert' | 'upsert' | 'update';
export type KeyMode = 'none' | 'kafka' | 'record_key' | 'record_value' | 'record_header';

/** How values turn into text. */
export interface ValueSettings {
  /** Zone in which moments are written into columns without one. */
  readonly zone: string;
  readonly dateZone: string;
  /** Dates before 1582-10-15 in the Julian calendar, as Java's older classes have them. */
  readonly julian: boolean;
  readonly nullToDefault: boolean;
  /** Fields that count microseconds or nanoseconds since 1970. */
  readonly timestampFields: ReadonlySet<string>;
  readonly timestampNanos: boolean;
  readonly postgisSchema: string;
}

export interface Settings {
  /** The names under which the peer's documentation has these keys, for messages. */
  readonly keyNames: { readonly keyMode: string; readonly create: string; readonly evolve: string; readonly user: string };
  readonly connector: string;
  readonly address: Address;
  readonly user: string | null;
  readonly password: Secret | null;
  readonly connectBackoffMs: number;
  readonly insertMode: InsertMode;
  readonly keyMode: KeyMode;
  readonly keyFields: readonly string[];
  readonly deletes: boolean;
  readonly truncates: boolean;
  readonly tableFormat: string;
  /** Whether a topic's dots become underscores. */
  readonly flattenTopic: boolean;
  readonly views: boolean;
  readonly foldNames: boolean;
  readonly wanted: (topic: string, field: string) => boolean;
  readonly stringColumn: string;
  readonly create: boolean;
  readonly evolve: boolean;
  readonly batchRows: number;
  readonly maxRetries: number;
  /** Set by the person, rather than by default: then a target that cannot be reached counts too. */
  readonly limitOutages: boolean;
  readonly retryBackoffMs: number;
  readonly quietValues: boolean;
  readonly placeholder: string;
  /** Empty where no positions are kept. */
  readonly offsetsTable: string;
  readonly offsetsRequired: boolean;
  /** Empty for none. */
  readonly origin: string;
  readonly values: ValueSettings;
}

type Shared = Pick<
  Settings,
  'connector' | 'password' | 'placeholder' | 'offsetsTable' | 'offsetsRequired' | 'origin' | 'limitOutages' | 'address'
>;

function sharedSettings(config: ConfluentConfig | DebeziumConfig, raw: RawConfig, connector: string): Shared {
  const address = parseAddress(config['connection.url']);
  // As the peer hands on what follows "connection." to its driver.
  const more = Object.entries(raw).flatMap(([key, value]) => {
    const name = driverParameter(key);
    return name === undefined ? [] : [[name, value] as const];
  });
  return {
    connector,
    address: { ...address, parameters: { ...address.parameters, ...Object.fromEntries(more) } },
    password:
      config['connection.password'] ?? (address.parameters['password'] === undefined ? null : new Secret(address.parameters['password'])),
    placeholder: config['unavailable.value.placeholder'],
    offsetsTable: config['millrace.offsets.table'].trim(),
    offsetsRequired: raw['millrace.offsets.table'] !== undefined,
    origin: config['millrace.origin'].trim(),
    limitOutages: raw['max.retries'] !== undefined || raw['flush.max.retries'] !== undefined,
  };
}

const ownConnectionKey = /^connection\.(url|user|username|password|attempts|backoff\.ms|provider|pool\..*|restart\.on\.errors)$/;

/** The driver's parameter that a key `connection.…` of no other meaning stands for. */
export const driverParameter = (key: string): string | undefined =>
  key.startsWith('connection.') && !ownConnectionKey.test(key) ? key.slice('connection.'.length) : undefined;

export function confluentSettings(config: ConfluentConfig, raw: RawConfig, connector = raw['name'] ?? ''): Settings {
  const shared = sharedSettings(config, raw, connector);
  const chosen = namesIn(config['fields.whitelist']);
  const zone = config['db.timezone'];
  return {
    ...shared,
    keyNames: { keyMode: 'pk.mode', create: 'auto.create', evolve: 'auto.evolve', user: 'connection.user' },
    user: config['connection.user'] ?? shared.address.parameters['user'] ?? null,
    connectBackoffMs: config['connection.backoff.ms'],
    insertMode: config['insert.mode'].toLowerCase() as InsertMode,
    keyMode: config['pk.mode'].toLowerCase() as KeyMode,
    keyFields: names(config['pk.fields']),
    deletes: config['delete.enabled'],
    truncates: false,
    tableFormat: config['table.name.format'].trim(),
    flattenTopic: false,
    views: config['table.types'].some((type) => type.trim().toUpperCase() === 'VIEW'),
    foldNames: config['quote.sql.identifiers'].toUpperCase() === 'NEVER',
    wanted: chosen.size === 0 ? () => true : (_topic, field) => chosen.has(field),
    stringColumn: config['string.output.value.column.name'],
    create: config['auto.create'],
    evolve: config['auto.evolve'],
    batchRows: Math.max(1, config['batch.size']),
    maxRetries: config['max.retries'],
    retryBackoffMs: config['retry.backoff.ms'],
    quietValues: config['trim.sensitive.log'],
    values: {
      zone,
      dateZone: config['date.timezone'].toUpperCase() === 'UTC' ? 'UTC' : zone,
      julian: config['date.calendar.system'].toUpperCase() === 'LEGACY',
      nullToDefault: config['replace.null.with.default'],
      timestampFields: namesIn(config['timestamp.fields.list']),
      timestampNanos: config['timestamp.precision.mode'].toLowerCase() === 'nanoseconds',
      postgisSchema: 'public',
    },
  };
}

export function debeziumSettings(config: DebeziumConfig, raw: RawConfig, connector = raw['name'] ?? ''): Settings {
  const shared = sharedSettings(config, raw, connector);
  const evolves = config['schema.evolution'].toLowerCase() === 'basic';
  const zone = config['database.time_zone'] ?? config['use.time.zone'];
  return {
    ...shared,
    keyNames: {
      keyMode: 'primary.key.mode',
      create: 'schema.evolution=basic',
      evolve: 'schema.evolution=basic',
      user: 'connection.username',
    },
    user: config['connection.username'] ?? shared.address.parameters['user'] ?? null,
    connectBackoffMs: 10_000,
    insertMode: config['insert.mode'].toLowerCase() as InsertMode,
    keyMode: config['primary.key.mode'].toLowerCase() as KeyMode,
    keyFields: names(config['primary.key.fields']),
    deletes: config['delete.enabled'],
    truncates: config['truncate.enabled'],
    tableFormat: (config['table.name.format'] ?? config['collection.name.format']).trim(),
    flattenTopic: !config['collection.naming.strategy'].includes('Passthrough'),
    views: true,
    foldNames: !config['quote.identifiers'],
    wanted: fieldFilter(config['field.include.list'], config['field.exclude.list']),
    stringColumn: 'record_value',
    create: evolves,
    evolve: evolves,
    batchRows: config['batch.size'],
    maxRetries: config['flush.max.retries'],
    retryBackoffMs: config['flush.retry.delay.ms'],
    quietValues: false,
    values: {
      zone,
      dateZone: zone,
      julian: false,
      nullToDefault: false,
      timestampFields: new Set(),
      timestampNanos: false,
      postgisSchema: config['dialect.postgres.postgis.schema'],
    },
  };
}

/** What does not go together, under the keys that the person wrote. */
export function settingsProblems(settings: Settings, raw: RawConfig): ConfigProblem[] {
  const { insertMode, keyMode, deletes, keyFields, keyNames } = settings;
  const problems: ConfigProblem[] = [];
  const problem = (key: string, message: string): void => void problems.push({ key, message });
  if (insertMode !== 'insert' && keyMode === 'none') {
    problem('insert.mode', `insert.mode=${insertMode} needs to know a row's key. Set ${keyNames.keyMode}, such as to record_key.`);
  }
  const addressable = keyMode === 'record_key' || (keyNames.keyMode === 'primary.key.mode' && keyMode.startsWith('record_'));
  if (deletes && !addressable) {
    problem('delete.enabled', `Primary key mode must be 'record_key' when delete support is enabled: set ${keyNames.keyMode}=record_key.`);
  }
  if (keyMode === 'kafka' && keyFields.length !== 0 && keyFields.length !== 3) {
    const key = keyNames.keyMode === 'pk.mode' ? 'pk.fields' : 'primary.key.fields';
    problem(key, `${key}: with ${keyNames.keyMode}=kafka it names three columns (of topic, partition and offset), or none.`);
  }
  if ((raw['field.include.list'] ?? '') !== '' && (raw['field.exclude.list'] ?? '') !== '') {
    problem('field.exclude.list', 'field.include.list and field.exclude.list are both set. Use one of them.');
  }
  return problems;
}

/** Throws a ConfigError for the first of them. */
export function checkSettings(settings: Settings, raw: RawConfig): Settings {
  const [problem] = settingsProblems(settings, raw);
  if (problem !== undefined) throw new ConfigError(problem.message);
  return settings;
}

const names = (list: readonly string[]): string[] => list.map((name) => name.trim()).filter((name) => name !== '');
const namesIn = (list: readonly string[]): ReadonlySet<string> => new Set(names(list));

/** As Debezium's FieldFilterFactory: names, or `topic:name`, and no regular expressions. */
function fieldFilter(include: readonly string[], exclude: readonly string[]): Settings['wanted'] {
  const included = namesIn(include);
  const excluded = namesIn(exclude);
  if (included.size > 0) return (topic, field) => included.has(field) || included.has(`${topic}:${field}`);
  return (topic, field) => !excluded.has(field) && !excluded.has(`${topic}:${field}`);
}
