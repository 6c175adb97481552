/** What a config says of dead letters that nothing can act on. */
import type { RawConfig } from '../api/index.ts';

const prefix = 'errors.deadletterqueue.';
const topicKey = `${prefix}topic.name`;
const defaults: Readonly<Record<string, string>> = {
  [`${prefix}context.headers.enable`]: 'false',
  [`${prefix}topic.replication.factor`]: '3',
};

/** A sentence for each. */
export function deadLetterWarnings(raw: RawConfig): string[] {
  const topic = raw[topicKey]?.trim() ?? '';
  if (topic !== '') {
    if (raw['errors.tolerance']?.trim().toLowerCase() === 'all') return [];
    return [
      `${topicKey}=${topic} has no effect: without errors.tolerance=all a bad record stops its task, its offset is not committed, and no dead letter stands for it. ` +
        'Set errors.tolerance=all.',
    ];
  }
  return Object.entries(defaults).flatMap(([key, usual]) => {
    const value = raw[key]?.trim().toLowerCase() ?? usual;
    return value === usual ? [] : [`${key}=${raw[key]} has no effect: there are no dead letters without ${topicKey}.`];
  });
}
