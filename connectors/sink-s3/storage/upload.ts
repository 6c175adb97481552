/**
 * One object on its way: in one request when it is small, else in parts while it grows. Requests are repeated until
 * they work, and all of them may be: a part is known by its number, an object by its name.
 */
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
}

/** What is taken is given back to the memory once it is there. */
export interface Upload {
  /** Sends a part; resolves when it is on its way. A failure comes with {@link finish}. */
  part(number: number, body: Uint8Array): Promise<void>;
  /** Sends the rest, which may be empty, as the part of that number; resolves when the object is there, whole. */
  finish(number: number, rest: Uint8Array): Promise<void>;
  /** Ends what is under way, and takes back what was sent. Never rejects. */
  abort(): Promise<void>;
}

/** The upload that holds what is already sent is gone: the records have to be read again. */
export class LostUploadError extends ConnectError {
  override readonly name = 'LostUploadError';
}

export function upload(key: string, topicId: string, { store, patience, memory, slots, mayWrite, failed }: UploadParts): Upload {
  const ended = new AbortController();
  const { signal } = ended;
  const sent: CompletedPart[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: Error | undefined;
  let bytesSent = 0;
  let uploadId: Promise<string> | undefined;

  const checked = (): Promise<void> => patience.until(`looking for ${key}`, () => mayWrite(key, signal), signal);

  async function created(): Promise<string> {
    await checked();
    return patience.until(`starting the upload of ${key}`, () => store.createUpload(key, topicId, signal), signal);
  }

  async function send(number: number, body: Uint8Array, release: () => void): Promise<void> {
    try {
      const id = await (uploadId ??= created());
      const what = `part ${number} of ${key}`;
      sent.push(await patience.until(what, () => store.uploadPart(key, id, number, body, signal), signal));
      bytesSent += body.length;
    } catch (error) {
      failure ??= error as Error;
      if (!signal.aborted) failed(wrapped(error));
    } finally {
      release();
      memory.give(body.length);
    }
  }

  async function part(number: number, body: Uint8Array): Promise<void> {
    const release = await slots.acquire(body.length);
    const sending = send(number, body, release);
    underWay.add(sending);
    void sending.finally(() => underWay.delete(sending));
  }

  async function putWhole(body: Uint8Array): Promise<void> {
    const release = await slots.acquire(body.length);
    try {
      await checked();
      await patience.until(`writing ${key}`, () => store.put(key, body, topicId, signal), signal);
    } finally {
      release();
      memory.give(body.length);
    }
  }

  async function complete(id: string): Promise<void> {
    const parts = sent.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    const attempt = async (): Promise<void> => {
      try {
        await store.completeUpload(key, id, parts, signal);
      } catch (error) {
        if (!isNoSuchUpload(error) || !(await isThere(parts))) throw error;
      }
    };
    await patience.until(`completing ${key}`, attempt, signal);
  }

  /** After a lost answer: is what stands under the name what these parts make? */
  async function isThere(parts: readonly CompletedPart[]): Promise<boolean> {
    const found = await store.head(key, signal);
    if (found === undefined || found === 'unknown' || found.bytes !== bytesSent) return false;
    const expected = etagOfParts(parts);
    const isMd5 = /^"?[0-9a-f]{32}-\d+"?$/.test(found.etag);
    return expected === undefined || !isMd5 || found.etag.replaceAll('"', '') === expected;
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
        await complete(await (uploadId as Promise<string>));
      } catch (error) {
        throw wrapped(error);
      }
    },
    async abort() {
      ended.abort();
      await Promise.all(underWay);
      const id = await uploadId?.catch(() => undefined);
      if (id !== undefined) await store.abortUpload(key, id).catch(() => {});
    },
  };
}
