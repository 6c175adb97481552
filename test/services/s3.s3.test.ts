import { deepEqual, equal } from 'node:assert/strict';
import { it } from 'node:test';

import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';

import { startS3 } from './s3.ts';

it('keeps objects over a restart', async () => {
  await using server = await startS3({ private: true });
  const bucket = await server.createBucket();
  const client = await server.client();
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a/b', Body: 'text' }));
  await server.restart();
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'a/b' }));
  equal(await Body?.transformToString(), 'text');
  client.destroy();
  deepEqual(server.ending(), undefined);
});
