import { ConfigError } from '../api/index.ts';
import type { ConfigProblem, RawConfig } from '../api/index.ts';
import type { ClientName, OverrideCheck } from '../ports/client-overrides.ts';
import type { ConnectorKind } from '../ports/tasks.ts';

const clients: readonly ClientName[] = ['producer', 'consumer', 'admin'];
const principalKeys = ['sasl.jaas.config', 'sasl.mechanism', 'security.protocol'];

export interface OverrideRules {
  /** `connector.client.config.override.policy`: All, None or Principal. */
  readonly overridePolicy: string;
  /** What this worker's clients can follow; left out: everything. */
  readonly overrideCheck?: OverrideCheck;
}

/**
 * What a connector's config overrides of the client settings, against `connector.client.config.override.policy`
 * and against what the clients can do.
 * Source: org.apache.kafka.connect.connector.policy (AllConnectorClientConfigOverridePolicy, None…, Principal…).
 */
export function overrideProblems(
  config: RawConfig,
  kind: ConnectorKind,
  { overridePolicy, overrideCheck }: OverrideRules,
): ConfigProblem[] {
  const name = overridePolicy.slice(overridePolicy.lastIndexOf('.') + 1).replace(/ConnectorClientConfigOverridePolicy$/, '');
  const allowed = policies[name];
  if (allowed === undefined) {
    throw new ConfigError(`connector.client.config.override.policy is "${overridePolicy}".`, {
      hint: 'There are All, None and Principal.',
    });
  }
  return clients.flatMap((client) => {
    const overrides = overridesOf(config, client);
    const message = (key: string): string =>
      `The '${name}' policy does not allow '${key}' to be overridden in the connector configuration.`;
    const forbidden = Object.keys(overrides).filter((key) => !allowed(key));
    const refused = isUsed(client, config, kind) ? (overrideCheck?.(client, overrides).refused ?? []) : [];
    return [
      ...forbidden.map((key) => ({ key: fullKey(client, key), message: message(key) })),
      ...refused.map(({ key, message: why }) => ({ key: fullKey(client, key), message: `${fullKey(client, key)}: ${why}` })),
    ];
  });
}

/** A sentence for each override that nothing acts on. */
export function overrideWarnings(config: RawConfig, kind: ConnectorKind, { overrideCheck }: OverrideRules): string[] {
  return clients.flatMap((client) => {
    const overrides = overridesOf(config, client);
    if (client !== 'admin' && !isUsed(client, config, kind)) {
      return Object.keys(overrides).map((key) => `${fullKey(client, key)} has no effect: a ${kind} connector has no ${client} of its own.`);
    }
    return (overrideCheck?.(client, overrides).ignored ?? []).map(({ key, message }) => `${fullKey(client, key)} ${message}`);
  });
}

/** The client that a connector's tasks have. */
function clientOf(kind: ConnectorKind): ClientName {
  return kind === 'source' ? 'producer' : 'consumer';
}

/** A source with an offset topic of its own has a consumer for that. Source: Worker.regularSourceOffsetsConsumerConfigs (KIP-618). */
function isUsed(client: ClientName, config: RawConfig, kind: ConnectorKind): boolean {
  if (client === 'consumer' && kind === 'source') return (config['offsets.storage.topic']?.trim() ?? '') !== '';
  return client === clientOf(kind);
}

function fullKey(client: ClientName, key: string): string {
  return `${client}.override.${key}`;
}

/** The settings of that client which the connector's config overrides, prefix taken off. */
export function overridesOf(config: RawConfig, client: ClientName): RawConfig {
  const prefix = fullKey(client, '');
  const entries = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length), value]));
}

const policies: Readonly<Record<string, (key: string) => boolean>> = {
  All: () => true,
  None: () => false,
  Principal: (key) => principalKeys.includes(key),
};
