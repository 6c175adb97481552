import type { RawConfig } from '../api/index.ts';
import { RequestError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import type { HerderOptions } from './herder-context.ts';
import { previewConnector } from './preview.ts';
import { requireValid, validateConfig } from './validation.ts';

export type PluginRequests = Pick<Herder, 'plugins' | 'pluginConfig' | 'validate' | 'preview'>;

/** Each has a thread, and a connection to its source. */
const previewsAtOnce = 4;

/** Maven's version ranges: `1.0`, `[1.0,2.0)`, `(,1.0],[1.2,)` (KIP-891). */
const versionRange = /^(?:[^[\](),\s]+|[[(][^[\]()]*[\])](?:,[[(][^[\]()]*[\])])*)$/;

/** `/connector-plugins`. */
export function createPluginRequests(options: HerderOptions): PluginRequests {
  const { pluginHost } = options;
  const check = (name: string, config: RawConfig): Promise<void> => requireValid(name, config, options);
  let previews = 0;
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
    async preview(_plugin, config, wanted) {
      if (previews >= previewsAtOnce) throw new RequestError(429, `This worker makes ${previewsAtOnce} previews already: ask again later.`);
      previews++;
      try {
        return await previewConnector(config, wanted, { ...options, check });
      } finally {
        previews--;
      }
    },
  };
}
