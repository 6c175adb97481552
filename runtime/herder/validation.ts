/** Whether a connector's config may be stored. Source: org.apache.kafka.connect.runtime.AbstractHerder.validateConnectorConfig. */
import { ConfigError } from '../api/index.ts';
import type { ConfigProblem, RawConfig } from '../api/index.ts';
import { RequestError } from '../ports/herder.ts';
import type { ConfigInfo, ConfigInfos } from '../ports/tasks.ts';
import { overrideProblems } from './client-overrides.ts';
import { withoutSecrets } from '../ports/config-providers.ts';
import type { ResolvedConfig } from '../ports/config-providers.ts';
import type { HerderOptions } from './herder-context.ts';
import { showable } from './secrets.ts';
import { sinkGroup } from './sink-group.ts';

export type Validation = Pick<HerderOptions, 'pluginHost' | 'configProviders' | 'offsetStore' | 'settings' | 'peers'>;

/** `PUT /connector-plugins/{p}/config/validate`: what the config's own plugin says, and what this worker cannot do, without any secret in it. */
export async function validateConfig(config: RawConfig, options: Validation): Promise<ConfigInfos> {
  const { pluginHost } = options;
  const resolved = await resolvedOrRefused(config, options.configProviders);
  const connectorClass = resolved.config['connector.class'];
  // Connect prints the whole config here, passwords and all.
  if (connectorClass === undefined || connectorClass === '') {
    throw new RequestError(400, `Connector config {name=${config['name'] ?? 'null'}} contains no connector type`);
  }
  try {
    const kind = pluginHost.kindOf(connectorClass);
    const infos = await pluginHost.validate(resolved.config);
    const problems = [
      ...overrideProblems(resolved.config, kind, options.settings),
      ...(kind === 'sink' ? sinkProblems(resolved.config, options) : exactlyOnceProblems(resolved.config, options)),
    ];
    return showable(withProblems(infos, problems), config, resolved);
  } catch (error) {
    throw withCleanMessage(error, resolved.secrets);
  }
}

/** Rejects with a RequestError (400) that lists everything that is wrong, in Connect's words. */
export async function requireValid(name: string, config: RawConfig, options: Validation): Promise<void> {
  const nulls = Object.keys(config).filter((key) => (config[key] as string | null) === null);
  if (nulls.length > 0)
    throw refusal(nulls.map((key) => `Invalid value null for configuration ${key}: a value must be a string; leave the key out instead.`));
  refuseErrors(name, await validateConfig(config, options));
}

/** Throws a RequestError (400) that lists what a validation found, if anything. */
export function refuseErrors(name: string, infos: ConfigInfos): void {
  const errors = infos.configs.flatMap(({ value }) => value.errors);
  const nameKnown = infos.configs.some(({ value }) => value.name === 'name' && value.errors.length > 0);
  if (!nameKnown) errors.push(...nameProblems(name));
  if (errors.length > 0) throw refusal(errors);
}

function refusal(errors: readonly string[]): RequestError {
  return new RequestError(
    400,
    `Connector configuration is invalid and contains the following ${errors.length} error(s):\n${errors.join('\n')}\n` +
      'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  );
}

async function resolvedOrRefused(config: RawConfig, providers: HerderOptions['configProviders']): Promise<ResolvedConfig> {
  try {
    return await providers.resolve(config);
  } catch (error) {
    if (error instanceof ConfigError) throw new RequestError(400, error.message, { cause: error });
    throw error;
  }
}

function withCleanMessage(error: unknown, secrets: readonly string[]): unknown {
  if (error instanceof RequestError || !(error instanceof Error)) return error;
  const message = withoutSecrets(error.message, secrets);
  if (error instanceof ConfigError) return new RequestError(400, message, { cause: error });
  return message === error.message ? error : new RequestError(500, message);
}

/** Source: org.apache.kafka.common.config.ConfigDef.NonEmptyStringWithoutControlChars. */
function nameProblems(name: string): string[] {
  if (name.trim() === '') return [`Invalid value ${name} for configuration name: String may not be empty`];
  // UTF-8 cannot hold it: it would be stored under another name.
  if (!name.isWellFormed()) return [`Invalid value ${JSON.stringify(name)} for configuration name: half a surrogate pair is no character`];
  const codes = Array.from({ length: name.length }, (_, at) => name.charCodeAt(at));
  const controls = codes.filter((code) => code < 32 || code === 127);
  if (controls.length === 0) return [];
  const what = `String may not contain control sequences but had the following ASCII chars: ${controls.join(', ')}`;
  return [`Invalid value ${JSON.stringify(name)} for configuration name: ${what}`];
}

/** A sink under the workers' own group would take part in their rebalances. */
function groupProblems(config: RawConfig, { settings }: Validation): ConfigProblem[] {
  const { workerGroupId } = settings;
  const name = config['name'] ?? '';
  if (workerGroupId === undefined || sinkGroup(name, config) !== workerGroupId) return [];
  const message = `Consumer group for sink connector named ${name} conflicts with Connect worker group ${workerGroupId}`;
  return [{ key: 'consumer.override.group.id', message }];
}

function sinkProblems(config: RawConfig, options: Validation): ConfigProblem[] {
  return [...groupProblems(config, options), ...topicProblems(config['topics'] ?? '')];
}

/** No topic can ever have such a name: tasks would fail as soon as they subscribe. Source: org.apache.kafka.common.internals.Topic.validate. */
function topicProblems(topics: string): ConfigProblem[] {
  const names = topics.split(',').map((name) => name.trim());
  const illegal = names.filter((name) => name !== '' && (!/^[\w.-]{1,249}$/.test(name) || name === '.' || name === '..'));
  return illegal.map((name) => ({
    key: 'topics',
    message:
      `Invalid value ${topics} for configuration topics: ${JSON.stringify(name)} is no topic name: ` +
      'it must be of letters, digits, ".", "_" and "-", at most 249 of them, and not "." or "..".',
  }));
}

/**
 * Alone, only a log that takes a source's records and offsets together can promise that nothing repeats. In a
 * cluster the connector's own validation knows what the worker can do.
 */
function exactlyOnceProblems(config: RawConfig, { offsetStore, peers }: Validation): ConfigProblem[] {
  const key = 'exactly.once.support';
  if (peers !== undefined || config[key]?.trim().toLowerCase() !== 'required' || offsetStore.atomicTopic !== undefined) return [];
  const message =
    `${key}=required cannot be honoured: on Kafka this worker writes without transactions, so records may come again after a crash. ` +
    'Set it to requested, or run the connector on the embedded log.';
  return [{ key, message }];
}

function withProblems(infos: ConfigInfos, problems: readonly ConfigProblem[]): ConfigInfos {
  if (problems.length === 0) return infos;
  const configs = new Map(infos.configs.map((info) => [info.value.name, info]));
  for (const { key, message } of problems) {
    const { definition, value } = configs.get(key) ?? undeclared(key);
    configs.set(key, { definition, value: { ...value, errors: [...value.errors, message] } });
  }
  return { ...infos, error_count: infos.error_count + problems.length, configs: [...configs.values()] };
}

/** Its value is left out, since it may be a password. */
function undeclared(name: string): ConfigInfo {
  return { definition: null, value: { name, value: null, recommended_values: [], errors: [], visible: true } };
}
