/** The bucket, as the rest of the connector sees it. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type {
  CompletedPart,
  CreateMultipartUploadCommandInput,
  ListMultipartUploadsCommandOutput,
  S3Client,
  UploadPartCommandInput,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { statusOf } from './store-error.ts';

/** The object's metadata that names the topic its records came from. */
const topicIdKey = 'millrace-topic-id';

/** Encryption and access of every object. */
export interface ObjectOptions {
  readonly onCreate: Omit<CreateMultipartUploadCommandInput, 'Bucket' | 'Key'>;
  /** A customer's key has to come with every request. */
  readonly onEach: Pick<UploadPartCommandInput, 'SSECustomerAlgorithm' | 'SSECustomerKey'>;
  /** `s3.send.digest` */
  readonly digest: boolean;
}

export interface ObjectFacts {
  readonly bytes: number;
  readonly etag: string;
  /** Undefined for an object that something else wrote. */
  readonly topicId: string | undefined;
}

/** Each method is one request (`uploads` one for each page), and rejects with the SDK's error. */
export interface ObjectStore extends Disposable {
  hasBucket(): Promise<boolean>;
  /** Undefined when there is none; 'unknown' when these credentials may not look. */
  head(key: string, signal: AbortSignal): Promise<ObjectFacts | undefined | 'unknown'>;
  put(key: string, body: Uint8Array, topicId: string, signal: AbortSignal): Promise<void>;
  createUpload(key: string, topicId: string, signal: AbortSignal): Promise<string>;
  uploadPart(key: string, uploadId: string, number: number, body: Uint8Array, signal: AbortSignal): Promise<CompletedPart>;
  completeUpload(key: string, uploadId: string, parts: CompletedPart[], signal: AbortSignal): Promise<void>;
  abortUpload(key: string, uploadId: string): Promise<void>;
  tag(key: string, tags: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void>;
  uploads(prefix: string): AsyncIterable<{ readonly key: string; readonly uploadId: string; readonly initiatedMs: number }>;
}

export function objectStore(client: S3Client, bucket: string, { onCreate, onEach, digest }: ObjectOptions): ObjectStore {
  const object = (key: string): { Bucket: string; Key: string } => ({ Bucket: bucket, Key: key });
  const metadata = (topicId: string): object => (topicId === '' ? {} : { Metadata: { [topicIdKey]: topicId } });
  const checked = (body: Uint8Array): object => (digest ? { ContentMD5: createHash('md5').update(body).digest('base64') } : {});
  const aborted = (abortSignal: AbortSignal): { abortSignal: AbortSignal } => ({ abortSignal });

  return {
    async hasBucket() {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }));
        return true;
      } catch (error) {
        // It is in another region, or these credentials may write and not look.
        if (statusOf(error) === 301 || statusOf(error) === 403) return true;
        if (statusOf(error) === 404) return false;
        throw error;
      }
    },
    async head(key, signal) {
      try {
        const found = await client.send(new HeadObjectCommand({ ...object(key), ...onEach }), aborted(signal));
        return { bytes: found.ContentLength ?? -1, etag: found.ETag ?? '', topicId: found.Metadata?.[topicIdKey] };
      } catch (error) {
        const status = statusOf(error);
        if (status === 404) return undefined;
        if (status === 403 || status === 400) return 'unknown';
        throw error;
      }
    },
    async put(key, body, topicId, signal) {
      await client.send(
        new PutObjectCommand({
          ...object(key),
          ...onCreate,
          ...metadata(topicId),
          ...checked(body),
          Body: body,
          ContentLength: body.length,
        }),
        aborted(signal),
      );
    },
    async createUpload(key, topicId, signal) {
      const command = new CreateMultipartUploadCommand({ ...object(key), ...onCreate, ...metadata(topicId) });
      return (await client.send(command, aborted(signal))).UploadId ?? '';
    },
    async uploadPart(key, uploadId, number, body, signal) {
      const { ETag } = await client.send(
        new UploadPartCommand({
          ...object(key),
          ...onEach,
          ...checked(body),
          UploadId: uploadId,
          PartNumber: number,
          Body: body,
          ContentLength: body.length,
        }),
        aborted(signal),
      );
      return { PartNumber: number, ...(ETag === undefined ? {} : { ETag }) };
    },
    async completeUpload(key, uploadId, parts, signal) {
      await client.send(
        new CompleteMultipartUploadCommand({ ...object(key), ...onEach, UploadId: uploadId, MultipartUpload: { Parts: parts } }),
        aborted(signal),
      );
    },
    async abortUpload(key, uploadId) {
      await client.send(new AbortMultipartUploadCommand({ ...object(key), UploadId: uploadId }));
    },
    async tag(key, tags, signal) {
      const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      await client.send(new PutObjectTaggingCommand({ ...object(key), Tagging: { TagSet } }), aborted(signal));
    },
    async *uploads(prefix) {
      for (let from: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}; from !== undefined;) {
        const page: ListMultipartUploadsCommandOutput = await client.send(
          new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...from }),
        );
        for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
          if (Key !== undefined && UploadId !== undefined) yield { key: Key, uploadId: UploadId, initiatedMs: Initiated?.getTime() ?? 0 };
        }
        const { NextKeyMarker, NextUploadIdMarker } = page;
        const isLast = page.IsTruncated !== true || NextKeyMarker === undefined;
        from = isLast
          ? undefined
          : { KeyMarker: NextKeyMarker, ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }) };
      }
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

/** What S3 gives an object of these parts as its ETag: the MD5 of their MD5s; undefined where they are none. */
export function etagOfParts(parts: readonly CompletedPart[]): string | undefined {
  const sums = parts.map(({ ETag = '' }) => /^"?([0-9a-f]{32})"?$/.exec(ETag)?.[1]);
  if (sums.some((sum) => sum === undefined)) return undefined;
  const hash = createHash('md5');
  for (const sum of sums) hash.update(Buffer.from(sum as string, 'hex'));
  return `${hash.digest('hex')}-${parts.length}`;
}
