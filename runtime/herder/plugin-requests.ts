import { RequestError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import type { HerderOptions } from './herder-context.ts';
import { validateConfig } from './validation.ts';

export type PluginRequests = Pick<Herder, 'plugins' | 'pluginConfig' | 'validate'>;

/** Maven's version ranges: `1.0`, `[1.0,2.0)`, `(,1.0],[1.2,)` (KIP-891). */
const versionRange = /^(?:[^[\](),\s]+|[[(][^[\]()]*[\])](?:,[[(][^[\]()]*[\])])*)$/;

/** `/connector-plugins`. */
export function createPluginRequests(options: HerderOptions): PluginRequests {
  const { pluginHost } = options;
  return {
    plugins(connectorsOnly) {
      const all = pluginHost.plugins();
      return connectorsOnly ? all.filter(({ type }) => type === 'source' || type === 'sink') : all;
    },
    async pluginConfig(plugin, version) {
      if (version !== undefined && version !== 'latest' && !versionRange.test(version)) {
        throw new RequestError(400, `Invalid version specification: ${version}`);
      }
      const definitions = await pluginHost.pluginConfig(plugin);
      if (definitions === undefined) throw new RequestError(404, `Unknown plugin ${plugin}.`);
      return definitions;
    },
    validate: (_plugin, config) => validateConfig(config, options),
  };
}
