import type { RawConfig } from '../api/index.ts';
import type { ConfigInfo, ConfigInfos } from '../ports/tasks.ts';
import { withoutSecrets } from '../ports/config-providers.ts';
import type { ResolvedConfig } from '../ports/config-providers.ts';

/** A validation's answer as it may be shown: placeholders in place of what they stand for, in values and messages. */
export function showable(infos: ConfigInfos, written: RawConfig, resolved: ResolvedConfig): ConfigInfos {
  if (resolved.secrets.length === 0) return infos;
  const shown = ({ definition, value }: ConfigInfo): ConfigInfo => {
    const before = written[value.name];
    const after = resolved.config[value.name];
    const replaced = before !== undefined && after !== undefined && before !== after;
    const clean = (text: string): string =>
      withoutSecrets(replaced && after !== '' ? text.replaceAll(after, before) : text, resolved.secrets);
    return {
      definition,
      value: {
        ...value,
        value: replaced ? before : value.value,
        recommended_values: value.recommended_values.map(clean),
        errors: value.errors.map(clean),
      },
    };
  };
  const warnings = infos.warnings?.map((text) => withoutSecrets(text, resolved.secrets));
  return { ...infos, configs: infos.configs.map(shown), ...(warnings === undefined ? {} : { warnings }) };
}

/** An error's stack with its causes, as statuses hold it. */
export function traceOf(error: unknown, secrets: readonly string[]): string {
  const parts: string[] = [];
  for (let cause = error; cause !== undefined && parts.length < 10; cause = cause instanceof Error ? cause.cause : undefined) {
    const text = cause instanceof Error ? (cause.stack ?? `${cause.name}: ${cause.message}`) : String(cause);
    parts.push(parts.length === 0 ? text : `Caused by: ${text}`);
  }
  return withoutSecrets(parts.join('\n'), secrets);
}
