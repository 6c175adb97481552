/** The bucket of a task, with what its files share: memory, slots for requests, the file for what is put aside. */
import { tmpdir } from 'node:os';
import type { Logger } from '@millrace/runtime/api';
import type { FileEncoder } from '../formats/file-format.ts';
import { mostRequests } from '../settings.ts';
import type { S3Config } from '../settings.ts';
import { memory, slots } from './memory.ts';
import type { Memory } from './memory.ts';
import { nameGuard } from './name-guard.ts';
import { objectFile } from './object-file.ts';
import type { ObjectFile } from './object-file.ts';
import type { ObjectStore } from './object-store.ts';
import { patience } from './patience.ts';
import type { Patience } from './patience.ts';
import { spillFile } from './spill-file.ts';
import { describeError } from './store-error.ts';
import { upload } from './upload.ts';

export interface Bucket extends AsyncDisposable {
  readonly store: ObjectStore;
  readonly memory: Memory;
  readonly patience: Patience;
  readonly extraTags: Readonly<Record<string, string>>;
  /** Ends with the bucket. */
  readonly signal: AbortSignal;
  openFile(key: string, topicId: string, encoder: FileEncoder, hooks: FileHooks): ObjectFile;
  /** Rejects only where `s3.object.behavior.on.tagging.error` is fail. */
  tag(key: string, tags: Readonly<Record<string, string>>): Promise<void>;
}

export interface FileHooks {
  /** Hears of what cannot be sent before the file is finished. */
  readonly failed: (error: unknown) => void;
  /** Resolves when uploads may be started. */
  readonly ready: () => Promise<void>;
}

/** Blocks that are made at once, and their bytes; and files that are compressed as a whole at their ends. */
const mostBlocks = 2;
const mostBlockBytes = 16 << 20;

export interface BucketParts {
  readonly store: ObjectStore;
  readonly connector: string;
  readonly log: Logger;
}

export function openBucket(values: S3Config, { store, connector, log }: BucketParts): Bucket {
  const partBytes = values['s3.part.size'];
  const limit = values['s3.buffer.max.bytes'];
  const shared = {
    store,
    memory: memory(limit),
    slots: slots(mostRequests, Math.max(limit / 2, partBytes)),
    patience: patience(
      { retries: values['s3.part.retries'], backoffMs: values['s3.retry.backoff.ms'], laterMs: values['retry.backoff.ms'] },
      connector,
      log,
    ),
  };
  const spill = spillFile(values['s3.buffer.spill.dir'] || tmpdir());
  const guard = values['recreated.topics'].toLowerCase() === 'fail' ? nameGuard(store, connector, log) : async () => {};
  const work = slots(mostBlocks, mostBlockBytes);
  const ends = slots(mostBlocks, Number.POSITIVE_INFINITY);
  const ended = new AbortController();

  return {
    ...shared,
    signal: ended.signal,
    extraTags: tagPairs(values['s3.object.tagging.key.value.pairs']),
    openFile(key, topicId, encoder, hooks) {
      const mayWrite = (name: string, signal: AbortSignal): Promise<void> => guard(name, topicId, signal);
      const target = upload(key, topicId, { ...shared, mayWrite, ...hooks });
      return objectFile({ key, encoder, upload: target, partBytes, memory: shared.memory, spill, work, ends });
    },
    async tag(key, tags) {
      try {
        await shared.patience.until(`tagging ${key}`, () => store.tag(key, tags, ended.signal), ended.signal);
      } catch (error) {
        if (values['s3.object.behavior.on.tagging.error'].toLowerCase() === 'fail') throw error;
        log.warn(`object ${key} has no tags: ${describeError(error)}`);
      }
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      store[Symbol.dispose]();
      await spill[Symbol.asyncDispose]();
    },
  };
}

export function tagPairs(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', value = ''] = pair.split(':');
      return [key.trim(), value.trim()];
    }),
  );
}
