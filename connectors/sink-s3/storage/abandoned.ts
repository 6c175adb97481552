/** Unfinished uploads that an earlier run left: nobody sees them, and they cost money. */
import type { Logger, TopicPartition } from '@millrace/runtime/api';
import { folderOf, isFileOf } from '../object-names.ts';
import type { NameSettings } from '../object-names.ts';
import type { ObjectStore } from './object-store.ts';
import type { Patience } from './patience.ts';
import { describeError, isNoSuchUpload } from './store-error.ts';

export interface AbandonedPartition extends TopicPartition {
  readonly topicId: string;
}

export interface AbandonedParts {
  readonly store: ObjectStore;
  readonly patience: Patience;
  readonly names: NameSettings;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Whether the task still has it: what another task starts there is not abandoned. */
  isMine(partition: TopicPartition): boolean;
}

export interface Abandoned {
  /**
   * Aborts the uploads under names of these partitions that were begun before, trying until S3 answers. Never
   * rejects.
   */
  abort(partitions: readonly AbandonedPartition[]): Promise<void>;
  /** Resolves when all that are to be aborted are known: an upload that starts before might be taken for one of them. */
  known(): Promise<void>;
}

/** A store that never lists is no reason to write nothing. */
const longestListingMs = 600_000;

interface Found {
  readonly key: string;
  readonly uploadId: string;
  readonly partition: AbandonedPartition;
}

export function abandonedUploads({ store, patience, names, log, signal, isMine }: AbandonedParts): Abandoned {
  let listing: Promise<unknown> = Promise.resolve();

  async function list(partitions: readonly AbandonedPartition[]): Promise<Found[]> {
    const found: Found[] = [];
    for (const prefix of new Set(partitions.map((each) => folderOf(each, names)))) {
      for await (const { key, uploadId } of store.uploads(prefix)) {
        const partition = partitions.find((each) => isFileOf(key, each, names));
        if (partition !== undefined) found.push({ key, uploadId, partition });
      }
    }
    return found;
  }

  async function abortOne({ key, uploadId }: Found): Promise<void> {
    try {
      await patience.until(`aborting an upload of ${key}`, () => store.abortUpload(key, uploadId), signal);
      log.info(`aborted an upload of ${key} that an earlier run had left`);
    } catch (error) {
      if (!isNoSuchUpload(error)) throw error;
    }
  }

  return {
    async abort(partitions) {
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(longestListingMs)]);
      const listed = patience.until('looking for abandoned uploads', () => list(partitions), bounded);
      listing = Promise.allSettled([listing, listed]);
      try {
        for (const each of await listed) if (isMine(each.partition)) await abortOne(each);
      } catch (error) {
        if (signal.aborted) return;
        log.warn(`abandoned uploads could not be aborted: ${describeError(error)} Let a lifecycle rule of the bucket remove them.`);
      }
    },
    async known() {
      await listing;
    },
  };
}
