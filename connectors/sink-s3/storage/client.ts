/** The S3 client for a config. Source: io.confluent.connect.s3.storage.S3Storage. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import {
  fromContainerMetadata,
  fromEnv,
  fromIni,
  fromInstanceMetadata,
  fromNodeProviderChain,
  fromTemporaryCredentials,
} from '@aws-sdk/credential-providers';
import type { CredentialsName } from '../config-classes.ts';
import type { ObjectOptions } from './object-store.ts';

export interface AccessSettings {
  readonly region: string;
  /** Null for AWS itself. */
  readonly endpoint: string | null;
  readonly pathStyle: boolean;
  readonly accelerate: boolean;
  readonly credentials: CredentialsSettings;
  /** With its user and password, or null. */
  readonly proxyUrl: string | null;
  readonly timeoutMs: number;
  readonly connections: number;
}

export interface CredentialsSettings {
  readonly from: CredentialsName;
  /** Win over where credentials come from, except for an assumed role, which they ask for. */
  readonly keys: { readonly id: string; readonly secret: string } | null;
  readonly role?: { readonly arn: string; readonly session: string; readonly externalId: string; readonly region: string };
}

export interface EncryptionSettings {
  readonly algorithm: string;
  readonly kmsKeyId: string;
  readonly customerKey: string | null;
  readonly acl: string | null;
  readonly digest: boolean;
}

export function s3Client(access: AccessSettings): S3Client {
  const { proxyUrl } = access;
  const agent = {
    keepAlive: true,
    maxSockets: access.connections,
    ...(proxyUrl === null ? {} : { proxyEnv: { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl } }),
  };
  return new S3Client({
    region: access.region,
    ...(access.endpoint === null ? {} : { endpoint: withScheme(access.endpoint) }),
    forcePathStyle: access.pathStyle,
    useAccelerateEndpoint: access.accelerate,
    ...credentials(access.credentials),
    // The checksums that newer clients send by themselves are refused by many stores that are not AWS.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With an agent of our own the SDK would send the header and not wait; with its own it opens a connection for each body.
    expectContinueHeader: false,
    // Repeating is the connector's own affair: its waits are configured, and it never gives up.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: 10_000,
      // Of silence; a bound for whole requests would never let a large part through a thin line.
      socketTimeout: access.timeoutMs,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    },
    customUserAgent: 'millrace-sink-s3',
  } satisfies S3ClientConfig);
}

const withScheme = (url: string): string => (/^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `https://${url}`);

function credentials({ from, keys, role }: CredentialsSettings): Pick<S3ClientConfig, 'credentials' | 'signer'> {
  const own = keys === null ? undefined : { accessKeyId: keys.id, secretAccessKey: keys.secret };
  if (from === 'assume-role' && role !== undefined) {
    const params = { RoleArn: role.arn, RoleSessionName: role.session, ...(role.externalId === '' ? {} : { ExternalId: role.externalId }) };
    const clientConfig = role.region === '' ? {} : { clientConfig: { region: role.region } };
    return { credentials: fromTemporaryCredentials({ params, ...clientConfig, ...(own === undefined ? {} : { masterCredentials: own }) }) };
  }
  if (own !== undefined) return { credentials: own };
  switch (from) {
    case 'environment':
      return { credentials: fromEnv() };
    case 'profile':
      return { credentials: fromIni() };
    case 'container':
      return { credentials: fromContainerMetadata() };
    case 'instance':
      return { credentials: fromInstanceMetadata() };
    case 'anonymous':
      return { signer: { sign: (request) => Promise.resolve(request) } };
    default:
      return { credentials: fromNodeProviderChain() };
  }
}

/** Source: S3OutputStream.newMultipartUpload. */
export function objectOptions({ algorithm, kmsKeyId, customerKey, acl, digest }: EncryptionSettings): ObjectOptions {
  const access = acl === null ? {} : { ACL: acl as never };
  if (algorithm.toUpperCase() === 'AES256' && customerKey !== null) {
    const customer = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: customerKey };
    return { onCreate: { ...access, ...customer }, onEach: customer, digest };
  }
  if (algorithm === '') return { onCreate: access, onEach: {}, digest };
  const key = algorithm.startsWith('aws:kms') && kmsKeyId !== '' ? { SSEKMSKeyId: kmsKeyId } : {};
  return { onCreate: { ...access, ...key, ServerSideEncryption: algorithm as never }, onEach: {}, digest };
}
