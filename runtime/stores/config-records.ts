/**
 * Keys and values of Connect's config topic. Source: org.apache.kafka.connect.storage.KafkaConfigBackingStore.
 *
 *     target-state-NAME       {"state":"PAUSED","state.v2":"STOPPED"}
 *     connector-NAME          {"properties":{"connector.class":"FileStreamSource",…}}
 *     task-NAME-0             {"properties":{…}}
 *     commit-NAME             {"tasks":1}
 *     tasks-fencing-NAME      {"task-count":1}
 *     restart-connector-NAME  {"include-tasks":true,"only-failed":false}
 *     logger-cluster-NAME     {"level":"INFO"}
 *     session-key             {"key":"…","algorithm":"HmacSHA256","creation-timestamp":1795302923808}
 */
import { DataError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import type { RestartRequest, SessionKey, TargetState } from '../ports/stores.ts';
import { stringifyExact } from './exact-json.ts';
import type { NewRecord } from './journal.ts';

export type ConfigRecord =
  /** Null: deleted. */
  | { readonly kind: 'target'; readonly connector: string; readonly target: TargetState | null }
  | { readonly kind: 'connector'; readonly connector: string; readonly properties: RawConfig | null }
  | { readonly kind: 'task'; readonly connector: string; readonly task: number; readonly properties: RawConfig }
  | { readonly kind: 'commit'; readonly connector: string; readonly tasks: number }
  | { readonly kind: 'fencing'; readonly connector: string; readonly tasks: number }
  | { readonly kind: 'restart'; readonly request: RestartRequest }
  | { readonly kind: 'logger'; readonly logger: string; readonly level: string }
  | { readonly kind: 'session-key'; readonly sessionKey: SessionKey };

const prefixes = {
  target: 'target-state-',
  connector: 'connector-',
  task: 'task-',
  commit: 'commit-',
  fencing: 'tasks-fencing-',
  restart: 'restart-connector-',
  logger: 'logger-cluster-',
} as const;
const sessionKeyKey = 'session-key';

/** `value` as JSON was read, null for a tombstone. Throws a DataError, which says why, for what Connect would pass over. */
export function parseConfigRecord(key: string, value: unknown): ConfigRecord {
  if (key === sessionKeyKey) return { kind: 'session-key', sessionKey: sessionKeyOf(value) };
  const kind = (Object.keys(prefixes) as (keyof typeof prefixes)[]).find((each) => key.startsWith(prefixes[each]));
  if (kind === undefined) throw new DataError('no store of Kafka Connect has such a key');
  const name = key.slice(prefixes[kind].length);
  switch (kind) {
    case 'target':
      return { kind, connector: name, target: value === null ? null : targetOf(value) };
    case 'connector':
      return { kind, connector: name, properties: value === null ? null : propertiesOf(value) };
    case 'task': {
      // Names may hold dashes: the number follows the last one.
      const id = /^(.*)-(\d+)$/s.exec(name);
      if (id === null) throw new DataError('the key does not end with the number of a task');
      return { kind, connector: id[1] as string, task: Number(id[2]), properties: propertiesOf(value) };
    }
    case 'commit':
      return { kind, connector: name, tasks: countOf(value, 'tasks') };
    case 'fencing':
      return { kind, connector: name, tasks: countOf(value, 'task-count') };
    case 'restart': {
      const fields = mapOf(value);
      // Whatever is no boolean is false, as in Connect.
      const request = { connector: name, includeTasks: fields['include-tasks'] === true, onlyFailed: fields['only-failed'] === true };
      return { kind, request };
    }
    case 'logger':
      return { kind, logger: name, level: textOf(value, 'level') };
  }
}

/** Records as Connect writes them. */
export const configRecords = {
  connector: (name: string, properties: RawConfig): NewRecord => ({
    key: prefixes.connector + name,
    value: stringifyExact({ properties }),
  }),
  /** Workers before KIP-875 know no STOPPED: they read `state`, and pause. */
  target: (name: string, target: TargetState): NewRecord => ({
    key: prefixes.target + name,
    value: stringifyExact({ state: target === 'STOPPED' ? 'PAUSED' : target, 'state.v2': target }),
  }),
  tasks: (name: string, configs: readonly RawConfig[]): NewRecord[] => [
    ...configs.map((properties, id) => ({ key: `${prefixes.task}${name}-${id}`, value: stringifyExact({ properties }) })),
    { key: prefixes.commit + name, value: stringifyExact({ tasks: configs.length }) },
  ],
  /** Connect leaves the task, commit and fencing records where they are. */
  removal: (name: string): NewRecord[] => [
    { key: prefixes.connector + name, value: null },
    { key: prefixes.target + name, value: null },
  ],
  fencing: (name: string, count: number): NewRecord => ({ key: prefixes.fencing + name, value: stringifyExact({ 'task-count': count }) }),
  restart: ({ connector, includeTasks, onlyFailed }: RestartRequest): NewRecord => ({
    key: prefixes.restart + connector,
    value: stringifyExact({ 'include-tasks': includeTasks, 'only-failed': onlyFailed }),
  }),
  logger: (name: string, level: string): NewRecord => ({ key: prefixes.logger + name, value: stringifyExact({ level }) }),
  sessionKey: ({ key, algorithm, createdMs }: SessionKey): NewRecord => ({
    key: sessionKeyKey,
    value: stringifyExact({ key: key.toString('base64'), algorithm, 'creation-timestamp': createdMs }),
  }),
};

function mapOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DataError(`its value is no object: ${kindOf(value)}`);
  return value as Record<string, unknown>;
}

function textOf(value: unknown, field: string): string {
  const text = mapOf(value)[field];
  if (typeof text !== 'string') throw new DataError(`its field "${field}" is no text: ${kindOf(text)}`);
  return text;
}

function wholeNumberOf(value: unknown, field: string): number {
  const number = mapOf(value)[field];
  if (typeof number !== 'bigint') throw new DataError(`its field "${field}" is no whole number: ${kindOf(number)}`);
  return Number(number);
}

function countOf(value: unknown, field: string): number {
  const count = wholeNumberOf(value, field);
  if (count < 0 || count > 0x7fffffff) throw new DataError(`its field "${field}" is no count: ${count}`);
  return count;
}

/** Connect can hold null values; a key without value is one that is not set. */
function propertiesOf(value: unknown): RawConfig {
  const { properties } = mapOf(value);
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) {
    throw new DataError(`its field "properties" is no object: ${kindOf(properties)}`);
  }
  const entries = Object.entries(properties).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, typeof item === 'string' ? item : stringifyExact(item)]));
}

/** Workers before KIP-875 write `state` alone. */
function targetOf(value: unknown): TargetState {
  const { state, 'state.v2': newer } = mapOf(value);
  const target = typeof newer === 'string' ? newer : state;
  if (target === 'STARTED' || target === 'PAUSED' || target === 'STOPPED') return target;
  throw new DataError(`"${String(target)}" is no target state`);
}

function sessionKeyOf(value: unknown): SessionKey {
  const key = textOf(value, 'key');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(key)) throw new DataError('its field "key" is not in base64');
  return { key: Buffer.from(key, 'base64'), algorithm: textOf(value, 'algorithm'), createdMs: wholeNumberOf(value, 'creation-timestamp') };
}

/** Never the value itself: a config may hold passwords. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'it is missing';
  return Array.isArray(value) ? 'it is an array' : `it is a ${typeof value}`;
}
