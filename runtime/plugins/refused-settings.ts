/** Settings that Connect honours, and whose neglect here would lose, repeat or misplace records, and those that contradict each other: refused, not ignored. */
import type { ConfigProblem, RawConfig, SinkPlugin, SourcePlugin } from '../api/index.ts';
import { exactlyOnceProblems } from './exactly-once-check.ts';
import { restartProblems } from './restart-config.ts';
import type { SourceDelivery } from './source-delivery.ts';

/** What this worker cannot do for the config, under the key that asks for it. */
export function refusedSettings(raw: RawConfig, plugin: SourcePlugin | SinkPlugin, delivery: SourceDelivery): ConfigProblem[] {
  const ofSources = plugin.kind === 'sink' ? [] : [...exactlyOnceProblems(raw, plugin, delivery), ...ofEmbedded(raw, delivery)];
  return [...restartProblems(raw), ...ofSources];
}

/** On the embedded log, where Connect's words would not say what is the matter. */
function ofEmbedded(raw: RawConfig, delivery: SourceDelivery): ConfigProblem[] {
  if (delivery !== 'atomic') return [];
  const problems: ConfigProblem[] = [];
  const refuse = (key: string, message: string): void => void problems.push({ key, message: `${key}=${textOf(raw, key)} ${message}` });
  if (textOf(raw, 'transaction.boundary').toLowerCase() === 'connector') {
    refuse(
      'transaction.boundary',
      'cannot be honoured: on the embedded log each write is a transaction, and no connector defines its own. Set it to poll, or remove the key.',
    );
  }
  if (textOf(raw, 'offsets.storage.topic') !== '') {
    refuse(
      'offsets.storage.topic',
      "cannot be honoured: a connector's offsets are kept with those of the other connectors of the worker. Remove the key; offsets that " +
        'Connect kept in that topic can be read there and set with PATCH /connectors/NAME/offsets while the connector is stopped.',
    );
  }
  return problems;
}

function textOf(raw: RawConfig, key: string): string {
  return raw[key]?.trim() ?? '';
}
