import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { S3Client } from '@aws-sdk/client-s3';

import { cached } from './cache.ts';
import { run, requireCommand } from './command.ts';
import { createDataFolder } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { borrowedServer, startServer } from './server.ts';
import type { Server } from './server.ts';

/** versitygw, an S3 gateway over a folder. */
export const S3_GATEWAY_VERSION = 'v1.8.0';

/** The gateway's root user. For an S3 that somebody else runs, S3_ENDPOINT, its keys are in S3_ACCESS_KEY and S3_SECRET_KEY. */
export const S3_USER = {
  accessKey: process.env['S3_ACCESS_KEY'] ?? 'millrace',
  secretKey: process.env['S3_SECRET_KEY'] ?? 'millrace-secret',
};

export interface S3Server extends Server {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly port: number;
  /** A client of this server, with path-style addresses, for the test's own looks into it. The caller destroys it. */
  client(): Promise<S3Client>;
  /** Makes a bucket of a fresh name. */
  createBucket(): Promise<string>;
}

export interface S3Options {
  /** One of our own, even where S3_ENDPOINT names one. */
  readonly private?: boolean;
}

/** An S3 gateway over a fresh folder, or the S3 that S3_ENDPOINT names. */
export async function startS3(options: S3Options = {}): Promise<S3Server> {
  const shared = process.env['S3_ENDPOINT'];
  if (shared && options.private !== true) return withClient(borrowedServer('S3', 'S3_ENDPOINT'), shared);

  const command = join(await gatewayFolder(), 'versitygw');
  const folder = createDataFolder('s3');
  try {
    const port = await freePort();
    const data = join(folder.path, 'data');
    mkdirSync(data);
    const endpoint = `http://127.0.0.1:${port}`;
    const server = await startServer({
      name: 'versitygw',
      command,
      args: ['--port', `127.0.0.1:${port}`, 'posix', data],
      env: { ...process.env, ROOT_ACCESS_KEY: S3_USER.accessKey, ROOT_SECRET_KEY: S3_USER.secretKey },
      folder,
      isReady: () => answers(endpoint),
      readyWithinMs: 30_000,
      stopSignal: 'SIGTERM',
      graceMs: 10_000,
      discardSignal: 'SIGKILL',
    });
    return withClient(server, endpoint);
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

const gatewayFolder = (): Promise<string> =>
  cached(`versitygw-${S3_GATEWAY_VERSION}`, async (folder) => {
    const go = await requireCommand('go', 'golang-go', ['/usr/local/go/bin', ...(process.env['PATH'] ?? '').split(':')]);
    console.error('[services] building versitygw with Go, once: a minute or two …');
    await run(go, ['install', `github.com/versity/versitygw/cmd/versitygw@${S3_GATEWAY_VERSION}`], {
      env: { ...process.env, GOBIN: folder },
    });
  });

// Whatever it says to somebody it does not know, it is there.
async function answers(endpoint: string): Promise<boolean> {
  const response = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.status < 500;
}

// Loaded when it is used: most tests that come by here need no S3.
async function clientOf(endpoint: string): Promise<S3Client> {
  const sdk = await import('@aws-sdk/client-s3');
  return new sdk.S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: S3_USER.accessKey, secretAccessKey: S3_USER.secretKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
}

function withClient(server: Server, endpoint: string): S3Server {
  return Object.assign(server, {
    endpoint,
    port: Number(new URL(endpoint).port),
    client: () => clientOf(endpoint),
    async createBucket() {
      const bucket = `test-${randomUUID()}`;
      const { CreateBucketCommand } = await import('@aws-sdk/client-s3');
      const client = await clientOf(endpoint);
      try {
        await client.send(new CreateBucketCommand({ Bucket: bucket }));
      } finally {
        client.destroy();
      }
      return bucket;
    },
  });
}
