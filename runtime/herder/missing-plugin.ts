import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import type { ConnectorKind, PluginHost } from '../ports/tasks.ts';

/** Throws a ConfigError that says what to do: other workers of the cluster may have what this one lacks. */
export function requirePlugin(pluginHost: PluginHost, what: string, config: RawConfig): ConnectorKind {
  const connectorClass = config['connector.class'] ?? '';
  try {
    return pluginHost.kindOf(connectorClass);
  } catch (cause) {
    throw new ConfigError(`${what} cannot run on this worker: it has no plugin for connector.class=${connectorClass}.`, {
      hint:
        'Install the plugin on every worker (see plugin.path) and restart the worker, or delete the connector; ' +
        'GET /connector-plugins shows what this worker has.',
      cause,
    });
  }
}
