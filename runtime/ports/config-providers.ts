/** Placeholders such as `${file:/secrets/db.properties:password}` in configs. Source: org.apache.kafka.common.config.ConfigTransformer. */
import type { RawConfig } from '../api/index.ts';

export interface ResolvedConfig {
  readonly config: RawConfig;
  /** What placeholders stood for; must not show in any message. */
  readonly secrets: readonly string[];
}

export interface ConfigProviders {
  /** Throws a ConfigError for a placeholder of a known provider that cannot be resolved. Others stay as they are. */
  resolve(config: RawConfig): Promise<ResolvedConfig>;
}

/** Groups: provider, path (may be missing), key. */
export const placeholder = /\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}/g;

export function hasPlaceholder(value: string): boolean {
  return value.search(placeholder) >= 0;
}
