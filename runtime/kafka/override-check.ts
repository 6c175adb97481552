/** A connector's overrides of client settings, judged before a client is opened with them. */
import { ConfigError } from '../api/index.ts';
import type { ConfigProblem } from '../api/index.ts';
import { compressionCodecs } from '../batch/batch-header.ts';
import type { OverrideVerdicts } from '../ports/client-overrides.ts';
import { consumerSettings, groupSettings, producerSettings } from './client-settings.ts';
import { settingVerdict } from './known-settings.ts';
import type { ClientKind } from './known-settings.ts';
import { choiceOf, integerOf } from './setting-values.ts';
import type { Settings } from './setting-values.ts';

/** `acted`: those that have an effect on a log other than Kafka; left out for Kafka. */
export function checkOverrides(kind: ClientKind, overrides: Settings, acted?: ReadonlySet<string>): OverrideVerdicts {
  const refused: ConfigProblem[] = [];
  const ignored: ConfigProblem[] = [];
  for (const [key, value] of Object.entries(overrides)) {
    const verdict = settingVerdict(kind, key);
    if (verdict.kind === 'refused') {
      if (value.trim() !== '') refused.push({ key, message: `cannot be honoured: ${verdict.why}. Remove it.` });
    } else if (verdict.kind === 'ignored') ignored.push({ key, message: `has no effect: ${verdict.why}.` });
    else if (verdict.kind === 'unknown')
      ignored.push({ key, message: 'has no effect: the Kafka clients do not know it either. Check the spelling.' });
    else if (kind === 'admin')
      ignored.push({ key, message: "has no effect: topics are created by the worker's own client; set admin.* in its file." });
    else if (acted?.has(key) === false) ignored.push({ key, message: 'has no effect on the embedded log.' });
    else refused.push(...badValue(kind, key, value));
  }
  return { refused, ignored };
}

/** What the client would say when it is opened. */
function badValue(kind: ClientKind, key: string, value: string): ConfigProblem[] {
  const alone = { [key]: value };
  try {
    if (kind === 'producer') {
      producerSettings(alone);
      choiceOf(alone, 'compression.type', compressionCodecs, 'none');
    } else {
      consumerSettings(alone);
      groupSettings(alone);
      integerOf(alone, 'max.poll.records', 500, 1);
    }
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ key, message: error.message.startsWith(`${key}: `) ? error.message.slice(key.length + 2) : error.message }];
  }
}
