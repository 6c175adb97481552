/** Keeps an object from being written over one that came from an earlier topic of the same name. */
import { ConfigError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';
import type { ObjectStore } from './object-store.ts';

export type NameGuard = (key: string, topicId: string, signal: AbortSignal) => Promise<void>;

/** Throws a ConfigError for a name that holds records of another topic. */
export function nameGuard(store: ObjectStore, connector: string, log: Logger): NameGuard {
  let blind = false;
  return async (key, topicId, signal) => {
    if (topicId === '' || blind) return;
    const found = await store.head(key, signal);
    if (found === 'unknown') {
      blind = true;
      log.warn('these credentials may not read objects (s3:GetObject): whether a topic was made anew under its old name cannot be seen');
    } else if (found?.topicId !== undefined && found.topicId !== topicId) {
      throw new ConfigError(
        `connector ${connector}: object ${key} holds records of an earlier topic of the same name (its id was ${found.topicId}, now it is ${topicId}): the topic was deleted and made anew.`,
        {
          hint:
            'Set recreated.topics=separate to put the id into every path, recreated.topics=overwrite to write over what is there, ' +
            'or topics.dir to another folder.',
        },
      );
    }
  };
}
