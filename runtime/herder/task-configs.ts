/** Asks a connector for the configs of its tasks. Source: org.apache.kafka.connect.runtime.Worker.connectorTaskConfigs. */
import { ConfigError, ConnectError } from '../api/index.ts';
import type { Logger, RawConfig } from '../api/index.ts';
import { mayPass } from '../ports/passing-errors.ts';
import type { PluginHost } from '../ports/tasks.ts';
import { hasPlaceholder } from '../ports/config-providers.ts';
import type { ConfigProviders } from '../ports/config-providers.ts';
import { requirePlugin } from './missing-plugin.ts';
import { traceOf } from './secrets.ts';

export type MadeTaskConfigs =
  | { readonly configs: readonly RawConfig[] }
  /** `passes`: the reason may pass; `config`: the connector's, placeholders resolved where they could be. */
  | { readonly trace: string; readonly passes: boolean; readonly config: RawConfig };

/** Resolves with the trace where the connector's code failed; it holds no secrets. */
export async function makeTaskConfigs(
  name: string,
  config: RawConfig,
  { pluginHost, configProviders, logger }: { pluginHost: PluginHost; configProviders: ConfigProviders; logger: Logger },
): Promise<MadeTaskConfigs> {
  let secrets: readonly string[] = [];
  let known = config;
  try {
    const resolved = await configProviders.resolve(config);
    secrets = resolved.secrets;
    known = resolved.config;
    requirePlugin(pluginHost, `connector ${name}`, resolved.config);
    const maxTasks = tasksMax(name, resolved.config);
    const configs = await pluginHost.taskConfigs(resolved.config, maxTasks);
    if (configs.length > maxTasks) tooMany(name, configs.length, maxTasks, resolved.config, logger);
    const added = addedBy(config, pluginHost);
    return { configs: configs.map((task) => withPlaceholders({ ...task, ...added }, config)) };
  } catch (error) {
    return { trace: traceOf(error, secrets), passes: mayPass(error), config: known };
  }
}

/** What Connect adds to every task's config; a JVM worker starts the class that it finds there. */
function addedBy(config: RawConfig, pluginHost: PluginHost): RawConfig {
  const taskClass = pluginHost.taskClassOf?.(config['connector.class'] ?? '');
  const topics = Object.entries(config).filter(([key]) => key === 'topics' || key === 'topics.regex');
  return { ...Object.fromEntries(topics), ...(taskClass !== undefined && { 'task.class': taskClass }) };
}

function tasksMax(name: string, config: RawConfig): number {
  const count = Number(config['tasks.max'] ?? '1');
  if (Number.isInteger(count) && count >= 1) return count;
  throw new ConfigError(`connector ${name}: tasks.max is "${config['tasks.max']}".`, { hint: 'Set it to a whole number from 1 on.' });
}

/** Source: org.apache.kafka.connect.runtime.TooManyTasksException (KIP-1004). */
function tooMany(name: string, count: number, maxTasks: number, config: RawConfig, logger: Logger): void {
  const message =
    `The connector ${name} has generated ${count} tasks, which is greater than ${maxTasks}, ` +
    `the maximum number of tasks it is configured to create.`;
  if (config['tasks.max.enforce']?.trim().toLowerCase() === 'false') logger.warn(message);
  else throw new ConnectError(message, { hint: 'Raise tasks.max, or set tasks.max.enforce=false.' });
}

/** Secrets stay out of the config topic: a key that the person wrote with a placeholder is stored with it. */
function withPlaceholders(task: RawConfig, written: RawConfig): RawConfig {
  return Object.fromEntries(
    Object.entries(task).map(([key, value]) => {
      const before = written[key];
      return [key, before !== undefined && hasPlaceholder(before) ? before : value];
    }),
  );
}

export function sameConfigs(a: readonly RawConfig[], b: readonly RawConfig[]): boolean {
  return a.length === b.length && a.every((config, index) => sameConfig(config, b[index] as RawConfig));
}

/** Order does not count: Connect writes keys as its hash maps give them. */
export function sameConfig(a: RawConfig, b: RawConfig): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
