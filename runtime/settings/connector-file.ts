/** A connector's file, as `connect-standalone` takes it. Source: org.apache.kafka.connect.cli.ConnectStandalone.parseConnectorConfigurationFile. */
import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { readConfigText, stringValues } from './config-text.ts';
import type { JsonObject } from './config-text.ts';

export interface ConnectorFile {
  readonly file: string;
  readonly name: string;
  readonly config: RawConfig;
  readonly initialState?: 'STARTED' | 'PAUSED' | 'STOPPED';
}

const initialStates = { RUNNING: 'STARTED', PAUSED: 'PAUSED', STOPPED: 'STOPPED' } as const;

/** `{"name", "config", "initial_state"}`, one flat JSON object, or `.properties`. Throws a ConfigError naming the file. */
export async function loadConnectorFile(file: string): Promise<ConnectorFile> {
  const text = await readConfigText(file);
  if (text.kind === 'properties') return named(file, text.config);
  const { config } = text.value;
  return typeof config === 'object' && config !== null
    ? requestOf(file, text.value, config as JsonObject)
    : named(file, stringValues(text.value, file));
}

function requestOf(file: string, request: JsonObject, given: JsonObject): ConnectorFile {
  const { name, initial_state: state, config: _config, ...others } = request;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw new ConfigError(`${file}: unknown field "${unknown}"; beside "config" there may be "name" and "initial_state".`);
  const config = stringValues(given, file);
  if (name !== undefined && typeof name !== 'string') throw new ConfigError(`${file}: "name" must be a string.`);
  if (name !== undefined && config['name'] !== undefined && config['name'] !== name) {
    throw new ConfigError(`${file}: "name" is ${name}, but the config's own name is ${config['name']}. Take one of them out.`);
  }
  const connector = named(file, name === undefined ? config : { ...config, name });
  if (state === undefined || state === null) return connector;
  const known = Object.entries(initialStates).find(([key]) => typeof state === 'string' && key === state.toUpperCase());
  if (known === undefined) throw new ConfigError(`${file}: "initial_state" must be RUNNING, PAUSED or STOPPED.`);
  return { ...connector, initialState: known[1] };
}

function named(file: string, config: RawConfig): ConnectorFile {
  const name = config['name']?.trim();
  if (name === undefined || name === '') throw new ConfigError(`${file}: has no "name"; every connector needs one.`);
  return { file, name, config: { ...config, name } };
}
