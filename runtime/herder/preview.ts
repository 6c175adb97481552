/** What a config would write: checked as it is when a connector is made, and shown without any secret. */
import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { withoutSecrets } from '../ports/config-providers.ts';
import type { ConfigProviders } from '../ports/config-providers.ts';
import { RequestError } from '../ports/herder.ts';
import type { Preview, PreviewFailure, PreviewOptions, PreviewRecord, ShownBytes } from '../ports/preview.ts';
import type { PluginHost } from '../ports/tasks.ts';

export interface PreviewParts {
  readonly pluginHost: Pick<PluginHost, 'kindOf' | 'preview'>;
  readonly configProviders: ConfigProviders;
  /** Rejects with a RequestError that lists what is wrong. */
  readonly check: (name: string, config: RawConfig) => Promise<void>;
}

/** Rejects with a RequestError: 400 for a config that is wrong, 422 for a connector that has no preview. */
export async function previewConnector(
  given: RawConfig,
  options: PreviewOptions & { readonly signal?: AbortSignal | undefined },
  { pluginHost, configProviders, check }: PreviewParts,
): Promise<Preview> {
  // What is not made yet may lack a name.
  const name = given['name'] ?? 'preview';
  const config: RawConfig = { ...given, name };
  const connectorClass = config['connector.class'] ?? '';
  if (isSink(connectorClass, pluginHost)) throw noPreview(`${connectorClass} is a sink: only sources have a preview, of what they write.`);
  await check(name, config);
  const resolved = await configProviders.resolve(config);
  try {
    const preview = await pluginHost.preview(resolved.config, options);
    if (preview === undefined) throw noPreview(`${connectorClass} offers no preview.`);
    return withoutSecretsIn(preview, resolved.secrets);
  } catch (error) {
    throw cleaned(error, resolved.secrets);
  }
}

const noPreview = (message: string): RequestError => new RequestError(422, message);

/** An unknown class is for the check to complain about. */
function isSink(connectorClass: string, pluginHost: PreviewParts['pluginHost']): boolean {
  try {
    return pluginHost.kindOf(connectorClass) === 'sink';
  } catch {
    return false;
  }
}

function cleaned(error: unknown, secrets: readonly string[]): unknown {
  if (error instanceof RequestError || !(error instanceof Error)) return error;
  const message = withoutSecrets(error.message, secrets);
  return new RequestError(error instanceof ConfigError ? 400 : 500, message, message === error.message ? { cause: error } : {});
}

/**
 * A transform can write what a placeholder stands for into a record, and whoever may ask for previews may not read the
 * worker's files: it is hidden there, too.
 */
function withoutSecretsIn(preview: Preview, secrets: readonly string[]): Preview {
  if (secrets.length === 0) return preview;
  const inJson = secrets.map((secret) => JSON.stringify(secret).slice(1, -1));
  const all = [...new Set([...secrets, ...inJson])];
  // Each byte as one character: what is no text stays as it is.
  const bytewise = all.map((secret) => Buffer.from(secret).toString('latin1'));
  let hidden = false;
  const text = (before: string): string => {
    const after = withoutSecrets(before, all);
    hidden ||= after !== before;
    return after;
  };
  const bytes = (shown: ShownBytes | null): ShownBytes | null => {
    if (shown === null) return null;
    const before = Buffer.from(shown.bytes.buffer, shown.bytes.byteOffset, shown.bytes.length).toString('latin1');
    const after = withoutSecrets(before, bytewise);
    if (after === before) return shown;
    hidden = true;
    return { ...shown, bytes: Buffer.from(after, 'latin1') };
  };
  const record = (each: PreviewRecord | PreviewFailure): PreviewRecord | PreviewFailure =>
    'error' in each
      ? { topic: text(each.topic), error: { ...each.error, message: text(each.error.message) } }
      : {
          ...each,
          topic: text(each.topic),
          key: bytes(each.key),
          value: bytes(each.value),
          headers: each.headers.map(({ key, value }) => ({ key: text(key), value: bytes(value) })),
        };
  const records = preview.records.map(record);
  const notes = preview.notes.map(text);
  return { ...preview, records, notes: hidden ? [...notes, 'what placeholders of the config stand for is shown as [hidden].'] : notes };
}
