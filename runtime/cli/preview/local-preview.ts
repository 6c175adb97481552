/** A preview in this process, with the settings of a worker file, or none. */
import { ConfigError } from '../../api/index.ts';
import type { RawConfig } from '../../api/index.ts';
import { previewConnector } from '../../herder/preview.ts';
import { showable } from '../../herder/secrets.ts';
import { refuseErrors } from '../../herder/validation.ts';
import { hasPlaceholder } from '../../ports/config-providers.ts';
import { previewJson } from '../../rest/preview-answer.ts';
import { createConfigProviders } from '../../settings/config-providers.ts';
import type { ConnectorFile } from '../../settings/connector-file.ts';
import { loadPluginSettings, pluginSettings } from '../../settings/worker-file.ts';
import { createPluginHost } from '../../worker/plugin-host.ts';

export interface LocalOptions {
  readonly records: number;
  /** In milliseconds. */
  readonly timeout: number;
  readonly worker?: string;
}

const json = 'org.apache.kafka.connect.json.JsonConverter';
const noWorker: RawConfig = { 'key.converter': json, 'value.converter': json };

/** Resolves with REST's answer, as text. Rejects with a ConfigError or a RequestError. */
export async function previewHere({ file, config }: ConnectorFile, { records, timeout, worker }: LocalOptions): Promise<string> {
  const notes: string[] = [];
  if (worker === undefined) refusePlaceholders(file, config);
  const settings = worker === undefined ? pluginSettings(noWorker) : await loadPluginSettings(worker, { resolve: withProviders });
  const lacking = ['key.converter', 'value.converter'].filter((key) => config[key] === undefined);
  if (worker === undefined && lacking.length > 0)
    notes.push(`${lacking.join(' and ')}: JsonConverter as it comes, since no worker file was given (--worker FILE).`);
  const configProviders = createConfigProviders(settings.raw);
  const { converters, pluginPath, topicCreation, pluginCallTimeoutMs: callTimeoutMs, task } = settings;
  await using pluginHost = await createPluginHost(
    { ...task, pluginPath, converters, topicCreation, callTimeoutMs, maxRequestSize: settings.raw['producer.max.request.size'] },
    { warn: (message) => void notes.push(message) },
  );
  const preview = await previewConnector(
    config,
    { records, timeoutMs: timeout },
    {
      pluginHost,
      configProviders,
      async check(name, written) {
        const resolved = await configProviders.resolve(written);
        refuseErrors(name, showable(await pluginHost.validate(resolved.config), written, resolved));
      },
    },
  );
  return previewJson({ ...preview, notes: [...notes, ...preview.notes] });
}

const withProviders = async (config: RawConfig): Promise<RawConfig> => (await createConfigProviders(config).resolve(config)).config;

function refusePlaceholders(file: string, config: RawConfig): void {
  const key = Object.keys(config).find((each) => hasPlaceholder(config[each] ?? ''));
  if (key === undefined) return;
  throw new ConfigError(`${file}: ${key} has a placeholder, and nothing here says what it stands for.`, {
    hint: 'Give the worker file whose config.providers know it (--worker FILE), or ask a worker (--url URL).',
  });
}
