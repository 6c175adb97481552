/** What a connector's config asks for that nothing acts on, told once, when its first task starts. */
import type { ConfigDef, ConfigKey, RawConfig } from '../api/index.ts';
import { configText, defaultValue, parseConfigValue } from './config-parse.ts';
import { connectorSections, topicCreationGroups } from './connector-sections.ts';
import { deadLetterWarnings } from './dead-letter-check.ts';
import { exactlyOnceWarnings } from './exactly-once-check.ts';
import type { PluginIndex } from './plugin-index.ts';
import { restartWarnings } from './restart-config.ts';
import type { SourceDelivery } from './source-delivery.ts';

export interface WarningOptions {
  /** The worker's `topic.creation.enable`. */
  readonly topicCreation: boolean;
  /** Left out: as the embedded log has it. */
  readonly delivery?: SourceDelivery;
}

const converters = ['key.converter', 'value.converter', 'header.converter'] as const;
const judgedElsewhere = /^(producer|consumer|admin)\.override\./;
/** Notes that `millrace apply` keeps for itself in the configs of its connectors. */
const ownNotes = 'millrace.apply.';

/**
 * A sentence for each key that is known and has no effect, and one that names the keys that nothing knows (Connect
 * takes them silently too, and logs them). Client overrides are judged elsewhere. No sentence holds the value of a
 * password.
 */
export async function configWarnings(
  raw: RawConfig,
  index: PluginIndex,
  { topicCreation, delivery = 'atomic' }: WarningOptions,
): Promise<readonly string[]> {
  const { plugin, sections } = await connectorSections(raw, index);
  const known: ConfigDef = Object.assign({}, ...sections.map(({ def }) => def));
  const creation = plugin.kind === 'source' ? topicCreationGroups(raw).map((group) => `topic.creation.${group}.`) : [];
  const warnings: string[] = [
    ...deadLetterWarnings(raw),
    ...restartWarnings(raw),
    ...(plugin.kind === 'source' ? exactlyOnceWarnings(raw, delivery) : []),
  ];
  const unknown: string[] = [];
  for (const [key, text] of Object.entries(raw)) {
    const definition = known[key];
    const orphanOf = converters.find((converter) => raw[converter] === undefined && key.startsWith(`${converter}.`));
    if (definition?.noEffect !== undefined) {
      if (differs(definition, text)) warnings.push(`${shown(key, definition, text)} has no effect: ${definition.noEffect}.`);
    } else if (definition === undefined && orphanOf !== undefined) {
      warnings.push(
        `${key} has no effect: without ${orphanOf} the worker's own converter is used, with the worker's settings. Set ${orphanOf} too.`,
      );
    } else if (creation.some((prefix) => key.startsWith(prefix))) {
      if (!topicCreation) warnings.push(`${key} has no effect: the worker's topic.creation.enable is false.`);
    } else if (definition === undefined && !knownElsewhere(key) && plugin.alsoKnows?.(key) !== true) unknown.push(key);
  }
  if (unknown.length > 0) {
    const one = unknown.length === 1;
    warnings.push(
      `${unknown.join(', ')} ${one ? 'is a key' : 'are keys'} that neither the connector nor Connect knows: ${one ? 'it has' : 'they have'} no effect. Check the spelling.`,
    );
  }
  return warnings;
}

const knownElsewhere = (key: string): boolean => judgedElsewhere.test(key) || key.startsWith(ownNotes);

function differs(definition: ConfigKey, text: string): boolean {
  const parsed = parseConfigValue(definition.type, text);
  const value = 'value' in parsed ? (configText(parsed.value) ?? '') : text;
  return value.toLowerCase() !== (configText(defaultValue(definition)) ?? '').toLowerCase();
}

function shown(key: string, { type }: ConfigKey, text: string): string {
  return type === 'password' ? key : `${key}=${text}`;
}
