import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';

const prefixes = ['producer.override.', 'consumer.override.', 'admin.override.'];
const principalKeys = ['sasl.jaas.config', 'sasl.mechanism', 'security.protocol'];

/**
 * What a connector's config overrides of the client settings against `connector.client.config.override.policy`.
 * Source: org.apache.kafka.connect.connector.policy (AllConnectorClientConfigOverridePolicy, None…, Principal…).
 */
export function overrideProblems(config: RawConfig, policy: string): string[] {
  const name = policy.slice(policy.lastIndexOf('.') + 1).replace(/ConnectorClientConfigOverridePolicy$/, '');
  const allowed = policies[name];
  if (allowed === undefined) {
    throw new ConfigError(`connector.client.config.override.policy is "${policy}".`, { hint: 'There are All, None and Principal.' });
  }
  return Object.keys(config).flatMap((key) => {
    const prefix = prefixes.find((candidate) => key.startsWith(candidate));
    if (prefix === undefined || allowed(key.slice(prefix.length))) return [];
    return [`The '${name}' policy does not allow '${key.slice(prefix.length)}' to be overridden in the connector configuration.`];
  });
}

const policies: Readonly<Record<string, (key: string) => boolean>> = {
  All: () => true,
  None: () => false,
  Principal: (key) => principalKeys.includes(key),
};
