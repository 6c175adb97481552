/** The connector in a worker of its own process, over a bucket of its own. */
import type { S3Client } from '@aws-sdk/client-s3';
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { until } from '../../../test/chaos/until.ts';
import type { MillraceServer } from '../../../test/services/millrace.ts';
import { S3_USER } from '../../../test/services/s3.ts';

/** What every config needs to reach the test's bucket. */
export const reach = (endpoint: string, bucket: string): Record<string, string> => ({
  's3.bucket.name': bucket,
  // The gateway's.
  's3.region': 'us-east-1',
  'store.url': endpoint,
  'aws.access.key.id': S3_USER.accessKey,
  'aws.secret.access.key': S3_USER.secretKey,
});

/** Names of all objects of a bucket, in their order. */
export async function namesIn(client: S3Client, bucket: string): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key }) => Key as string);
}

export async function uploadsIn(client: S3Client, bucket: string): Promise<string[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return Uploads.map(({ Key }) => Key as string);
}

/** Waits for it; throws at once with the reason when the connector fails. */
export async function whileRunning(worker: MillraceServer, name: string, what: string, isSo: () => Promise<boolean>): Promise<void> {
  let failed: Error | undefined;
  await until(
    what,
    async () => {
      const { connector, tasks } = await worker.status(name).catch(() => ({ connector: { state: 'UNKNOWN', trace: '' }, tasks: [] }));
      const bad = [connector, ...tasks].find(({ state }) => state === 'FAILED');
      if (bad !== undefined) failed = new Error(`${name} failed: ${bad.trace}`);
      return failed !== undefined || (await isSo());
    },
    240_000,
    100,
  );
  if (failed !== undefined) throw failed;
}

/** The next offset that a sink's group has committed for the only partition it reads. */
export async function committedOffset(worker: MillraceServer, name: string): Promise<number> {
  const { offsets } = (await worker.request('GET', `/connectors/${name}/offsets`)) as {
    offsets: readonly { readonly offset: { readonly kafka_offset: number } }[];
  };
  return offsets[0]?.offset.kafka_offset ?? 0;
}
