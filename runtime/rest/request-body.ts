/**
 * What request bodies hold. Kafka Connect answers 500 with the words of its JSON library to most of the mistakes
 * found here; they are the client's, so they get a 400 that says what was wrong.
 */
import type { OffsetMap, OffsetValue, RawConfig } from '../api/index.ts';
import { RequestError } from '../ports/herder.ts';
import type { ConnectorOffset } from '../ports/herder.ts';
import type { TargetState } from '../ports/stores.ts';
import { isJsonObject, jsonKind, NumberText } from './json.ts';
import type { JsonObject } from './json.ts';

const bad = (message: string): RequestError => new RequestError(400, message);

export interface NewConnector {
  readonly name: string;
  readonly config: RawConfig;
  readonly initialState?: TargetState;
}

/** The body of `POST /connectors`. Source: org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest. */
export function newConnectorOf(body: unknown): NewConnector {
  const request = objectOf(body, 'the request body', '{"name": "…", "config": {…}}');
  const known = ['name', 'config', 'initial_state'];
  const unknown = Object.keys(request).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw bad(`Unrecognized field "${unknown}" in the request body: it may have "name", "config" and "initial_state"`);
  }
  const name = (textOf(request['name'] ?? '', 'the field "name"') ?? '').trim();
  const config = configOf(request['config'], 'the field "config"');
  const initialState = targetStateOf(request['initial_state']);
  return { name, config, ...(initialState && { initialState }) };
}

const initialStates: Readonly<Record<string, TargetState>> = { RUNNING: 'STARTED', PAUSED: 'PAUSED', STOPPED: 'STOPPED' };

function targetStateOf(value: unknown): TargetState | undefined {
  if (value === undefined || value === null) return undefined;
  const state =
    typeof value === 'string' && Object.hasOwn(initialStates, value.toUpperCase()) ? initialStates[value.toUpperCase()] : undefined;
  if (state === undefined) throw bad(`Invalid initial_state ${shown(value)}: it must be RUNNING, PAUSED or STOPPED`);
  return state;
}

/** A whole config: numbers and booleans become the strings they were written as; null is refused. */
export function configOf(body: unknown, what = 'the request body'): RawConfig {
  const patch = patchOf(body, what);
  const nulls = Object.keys(patch).filter((key) => patch[key] === null);
  if (nulls.length > 0) throw invalidConfig(nulls.map((key) => `Invalid value null for configuration ${key}: ${nullRefused}`));
  return patch as RawConfig;
}

export const nullRefused = 'Null value can not be supplied as the configuration value.';

/** A change of a config: null takes a key out. */
export function patchOf(body: unknown, what = 'the request body'): Readonly<Record<string, string | null>> {
  const config = objectOf(body, what, '{"key": "value", …}');
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, textOf(value, `the value of "${key}"`)]));
}

function invalidConfig(errors: readonly string[]): RequestError {
  return bad(
    `Connector configuration is invalid and contains the following ${errors.length} error(s):\n${errors.join('\n')}\n` +
      'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  );
}

/** The body of `PATCH /connectors/{n}/offsets`. Source: …rest.entities.ConnectorOffsets. */
export function offsetsOf(body: unknown): readonly ConnectorOffset[] {
  const shape = '{"offsets": [{"partition": {…}, "offset": {…}}]}';
  const { offsets, ...others } = objectOf(body, 'the request body', shape);
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw bad(`Unrecognized field "${unknown}" in the request body: it must be ${shape}`);
  if (offsets === undefined || offsets === null || (Array.isArray(offsets) && offsets.length === 0)) {
    throw bad('Partitions / offsets need to be provided for an alter offsets request');
  }
  if (!Array.isArray(offsets)) throw bad(`The field "offsets" must be an array, but is ${jsonKind(offsets)}`);
  return offsets.map((entry: unknown, at) => {
    const where = `"offsets", entry ${at}`;
    const { partition, offset, ...more } = objectOf(entry, where, '{"partition": {…}, "offset": {…}}');
    const extra = Object.keys(more)[0];
    if (extra !== undefined) throw bad(`Unrecognized field "${extra}" in ${where}: it may have "partition" and "offset"`);
    return {
      partition: offsetMapOf(partition, `the partition in ${where}`),
      offset: offset === null || offset === undefined ? null : offsetMapOf(offset, `the offset in ${where}`),
    };
  });
}

function offsetMapOf(value: unknown, what: string): OffsetMap {
  const entries = Object.entries(objectOf(value, what, 'an object of plain values'));
  return Object.fromEntries(entries.map(([key, item]) => [key, offsetValueOf(item, key, what)]));
}

function offsetValueOf(value: unknown, key: string, what: string): OffsetValue {
  if (value instanceof NumberText) return value.value();
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  throw bad(`"${key}" of ${what} is ${jsonKind(value)}: offsets and partitions hold strings, numbers, booleans and null only`);
}

function objectOf(value: unknown, what: string, shape: string): JsonObject {
  if (isJsonObject(value)) return value;
  const found = value === undefined ? 'is missing' : `is ${jsonKind(value)}`;
  throw bad(`${what[0]?.toUpperCase()}${what.slice(1)} ${found}, but must be a JSON object: ${shape}`);
}

function textOf(value: unknown, what: string): string | null {
  if (typeof value === 'string' || value === null) return value;
  if (typeof value === 'boolean') return String(value);
  if (value instanceof NumberText) return value.text;
  throw bad(
    `${what[0]?.toUpperCase()}${what.slice(1)} must be a string, but is ${jsonKind(value)}: config values are strings, lists are written "a,b"`,
  );
}

const shown = (value: unknown): string => (typeof value === 'string' ? `"${value}"` : `(${jsonKind(value)})`);
