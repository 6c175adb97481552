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

/** Shorter ones would take apart ordinary words; where they stand alone they are known by their key. */
const shortestSecret = 4;

/** The text without what placeholders stood for. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  // One that was read from a file of its own ends in a line break, which is gone where it is used.
  const all = new Set(secrets.flatMap((secret) => [secret, secret.trim()]));
  for (const secret of [...all].sort((a, b) => b.length - a.length)) {
    if (secret.length >= shortestSecret) clean = clean.replaceAll(secret, '[hidden]');
  }
  return clean;
}
