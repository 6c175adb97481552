/** Unfinished uploads that an earlier run left: nobody sees them, and they cost money. */
import type { Logger, TopicPartition } from '@millrace/runtime/api';
import { folderOf, isFileOf } from '../object-names.ts';
import type { NameSettings } from '../object-names.ts';
import type { ObjectStore } from './object-store.ts';
import { describeError } from './store-error.ts';

export interface AbandonedPartition extends TopicPartition {
  readonly topicId: string;
}

/** Aborts the uploads under names of these partitions that were begun before. Never rejects. */
export async function abortAbandoned(
  store: ObjectStore,
  partitions: readonly AbandonedPartition[],
  names: NameSettings,
  log: Logger,
): Promise<void> {
  try {
    for (const prefix of new Set(partitions.map((each) => folderOf(each, names)))) {
      for await (const { key, uploadId } of store.uploads(prefix)) {
        if (!partitions.some((each) => isFileOf(key, each, names))) continue;
        await store.abortUpload(key, uploadId);
        log.info(`aborted an upload of ${key} that an earlier run had left`);
      }
    }
  } catch (error) {
    log.warn(`abandoned uploads could not be looked for: ${describeError(error)}; let a lifecycle rule of the bucket remove them`);
  }
}
