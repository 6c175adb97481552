/**
 * One object on its way: in one request when it is small, else in parts while it grows. Requests are repeated until
 * they work, and all of them may be: a part is known by its number, an object by its name.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompletedPart } from '@aws-sdk/client-s3';
import { ConnectError } from '@millrace/runtime/api';
import type { Memory, Slots } from './memory.ts';
import { etagOfParts } from './object-store.ts';
import type { ObjectStore } from './object-store.ts';
import type { Patience } from './patience.ts';
import { isNoSuchUpload } from './store-error.ts';

export interface UploadParts {
  readonly store: ObjectStore;
  readonly patience: Patience;
  readonly memory: Memory;
  readonly slots: Slots;
  /** Asked once, before the first byte goes out. Throws a ConnectError when the name must not be written. */
  readonly mayWrite: (key: string, signal: AbortSignal) => Promise<void>;
  /** Hears at once of a part that cannot be sent. */
  readonly failed: (error: unknown) => void;
  /** Resolves when uploads may be started. */
  readonly ready: () => Promise<void>;
}

/** Bytes that come into memory only when a request may go; they are given back to it once they are there. */
export interface Body {
  readonly length: number;
  take(): Promise<Uint8Array>;
}

export interface Upload {
  /** Sends a part; resolves when it is on its way. A failure comes with {@link finish}. */
  part(number: number, body: Body): Promise<void>;
  /** Sends the rest, which may be empty, as the part of that number; resolves when the object is there, whole. */
  finish(number: number, rest: Body): Promise<void>;
  /** Ends what is under way, and takes back what was sent. Never rejects. */
  abort(): Promise<void>;
}

/** For the looking for uploads whose start was lost, which an object that is whole does not wait for long. */
const longestSearchMs = 30_000;
/** How often taking back is tried, and the wait between. What is left then is for the next start to find. */
const takeBackTries = 4;
const takeBackWaitMs = 250;

/** The upload that holds what is already sent is gone: the records have to be read again. */
export class LostUploadError extends ConnectError {
  override readonly name = 'LostUploadError';
}

export function upload(key: string, topicId: string, parts: UploadParts): Upload {
  const { store, patience, memory, slots, mayWrite, failed, ready } = parts;
  const ended = new AbortController();
  const { signal } = ended;
  const sent: CompletedPart[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: Error | undefined;
  let bytesSent = 0;
  let uploadId: Promise<string> | undefined;
  /** Requests to start the upload; all but the last may have started one whose answer was lost. */
  let starts = 0;

  const checked = (): Promise<void> => patience.until(`looking for ${key}`, () => mayWrite(key, signal), signal);

  async function created(): Promise<string> {
    await checked();
    await ready();
    const attempt = (): Promise<string> => {
      signal.throwIfAborted();
      starts++;
      return store.createUpload(key, topicId, signal);
    };
    return patience.until(`starting the upload of ${key}`, attempt, signal);
  }

  async function send(number: number, body: Uint8Array, release: () => void): Promise<void> {
    try {
      const id = await (uploadId ??= created());
      const what = `part ${number} of ${key}`;
      sent.push(await patience.until(what, () => store.uploadPart(key, id, number, body, signal), signal));
      bytesSent += body.length;
      // It was answered: nobody reads it any more. What failed may still be on its way out.
      memory.recycle(body);
    } catch (error) {
      failure ??= error as Error;
      if (!signal.aborted) failed(wrapped(error));
    } finally {
      release();
      memory.give(body.length);
    }
  }

  async function part(number: number, body: Body): Promise<void> {
    const [bytes, release] = await taken(body);
    const sending = send(number, bytes, release);
    underWay.add(sending);
    void sending.finally(() => underWay.delete(sending));
  }

  async function taken(body: Body): Promise<[bytes: Uint8Array, release: () => void]> {
    const release = await slots.acquire(body.length);
    try {
      signal.throwIfAborted();
      return [await body.take(), release];
    } catch (error) {
      release();
      throw error;
    }
  }

  async function putWhole(body: Body): Promise<void> {
    const [bytes, release] = await taken(body);
    try {
      await checked();
      await patience.until(`writing ${key}`, () => store.put(key, bytes, topicId, signal), signal);
    } finally {
      release();
      memory.give(bytes.length);
    }
  }

  async function complete(id: string): Promise<void> {
    const inOrder = sent.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    const attempt = async (): Promise<void> => {
      try {
        await store.completeUpload(key, id, inOrder, signal);
      } catch (error) {
        if (!isNoSuchUpload(error) || !(await isThere(inOrder))) throw error;
      }
    };
    await patience.until(`completing ${key}`, attempt, signal);
  }

  /** After a lost answer: is what stands under the name what these parts make? */
  async function isThere(all: readonly CompletedPart[]): Promise<boolean> {
    const found = await store.head(key, signal);
    if (found === undefined || found === 'unknown' || found.bytes !== bytesSent) return false;
    const expected = etagOfParts(all);
    const isMd5 = /^"?[0-9a-f]{32}-\d+"?$/.test(found.etag);
    return expected === undefined || !isMd5 || found.etag.replaceAll('"', '') === expected;
  }

  /** Aborts this upload, or, where its id is not known, whatever was started under the name. */
  async function takeBack(id: string | undefined): Promise<void> {
    if (id !== undefined) return store.abortUpload(key, id);
    for await (const found of store.uploads(key)) {
      if (found.key === key) await store.abortUpload(key, found.uploadId);
    }
  }

  /** Aborts what requests have started whose answers were lost. */
  async function clearStrays(own: string): Promise<void> {
    if (starts < 2) return;
    const attempt = async (): Promise<void> => {
      for await (const found of store.uploads(key)) {
        if (found.key === key && found.uploadId !== own) await store.abortUpload(key, found.uploadId);
      }
    };
    // They hold nothing that anybody needs: what cannot be seen or aborted is for a lifecycle rule.
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(longestSearchMs)]);
    await patience.until(`aborting uploads of ${key} whose answers were lost`, attempt, bounded).catch(() => {});
  }

  const wrapped = (error: unknown): unknown =>
    isNoSuchUpload(error)
      ? new LostUploadError(`the upload of ${key} is gone: a lifecycle rule or somebody else aborted it.`, { cause: error })
      : error;

  return {
    part,
    async finish(number, rest) {
      try {
        if (uploadId === undefined && underWay.size === 0) return await putWhole(rest);
        if (rest.length > 0) await part(number, rest);
        await Promise.all(underWay);
        if (failure !== undefined) throw failure;
        const id = await (uploadId as Promise<string>);
        await complete(id);
        await clearStrays(id);
      } catch (error) {
        throw wrapped(error);
      }
    },
    async abort() {
      ended.abort();
      await Promise.all(underWay);
      if (starts === 0) return;
      const id = starts > 1 ? undefined : await uploadId?.catch(() => undefined);
      for (let tries = 1; tries <= takeBackTries; tries++) {
        try {
          return await takeBack(id);
        } catch (error) {
          if (isNoSuchUpload(error)) return;
        }
        await sleep(takeBackWaitMs);
      }
    },
  };
}
