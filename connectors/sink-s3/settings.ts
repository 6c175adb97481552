/** A config as the connector works with it. */
import { ConfigError } from '@millrace/runtime/api';
import type { ConfigValues, RawConfig } from '@millrace/runtime/api';
import { classMeaning, credentialsClasses, formatClasses, partitionerClasses } from './config-classes.ts';
import type { FormatName, PartitionerName } from './config-classes.ts';
import { fileKeys } from './config-files.ts';
import { folderKeys } from './config-folders.ts';
import { s3Keys } from './config-s3.ts';
import type { Compression } from './formats/compression.ts';
import type { Compatibility } from './schema-compatibility.ts';
import type { AccessSettings, CredentialsSettings, EncryptionSettings } from './storage/client.ts';

export const config = { ...fileKeys, ...folderKeys, ...s3Keys };
export type S3Config = ConfigValues<typeof config>;

const providerPrefix = 's3.credentials.provider.';
const roleKeys = ['sts.role.arn', 'sts.role.session.name', 'sts.role.external.id', 'sts.region'];

/** Keys of the credentials provider, which stand in no table. */
export const isProviderKey = (key: string): boolean => roleKeys.some((name) => key === `${providerPrefix}${name}`);

/** Requests of a task that may be under way at once. */
export const mostRequests = 8;

export function accessSettings(values: S3Config, raw: RawConfig): AccessSettings {
  return {
    region: values['s3.region'],
    endpoint: values['store.url'] || null,
    pathStyle: values['s3.path.style.access.enabled'],
    accelerate: values['s3.wan.mode'],
    credentials: credentialsSettings(values, raw),
    proxyUrl: proxyUrl(values),
    timeoutMs: values['s3.request.timeout.ms'],
    connections: mostRequests * 2,
  };
}

function credentialsSettings(values: S3Config, raw: RawConfig): CredentialsSettings {
  const id = values['aws.access.key.id'];
  const secret = values['aws.secret.access.key'].reveal();
  const from = classMeaning(credentialsClasses, values['s3.credentials.provider.class']) ?? 'default';
  const told = (name: string): string => raw[`${providerPrefix}${name}`]?.trim() ?? '';
  const role = { arn: told('sts.role.arn'), session: told('sts.role.session.name'), externalId: told('sts.role.external.id') };
  return {
    from,
    keys: id === '' || secret === '' ? null : { id, secret },
    ...(from === 'assume-role' ? { role: { ...role, region: told('sts.region') } } : {}),
  };
}

/** Throws a ConfigError for an address that is none. */
export function proxyUrl(values: S3Config): string | null {
  const text = values['s3.proxy.url'];
  if (text === '') return null;
  const url = URL.parse(text);
  if (url === null || url.hostname === '') throw new ConfigError(`s3.proxy.url is no address such as http://proxy.example.com:3128.`);
  const user = values['s3.proxy.user'];
  const password = values['s3.proxy.password']?.reveal();
  if (user) url.username = encodeURIComponent(user);
  if (password) url.password = encodeURIComponent(password);
  return url.href;
}

export function encryptionSettings(values: S3Config): EncryptionSettings {
  return {
    algorithm: values['s3.ssea.name'],
    kmsKeyId: values['s3.sse.kms.key.id'],
    customerKey: values['s3.sse.customer.key']?.reveal() || null,
    acl: values['s3.acl.canned'] || null,
    digest: values['s3.send.digest'],
  };
}

export interface FormatSettings {
  readonly values: FormatName;
  readonly keys: FormatName | null;
  readonly headers: FormatName | null;
  readonly compression: Compression;
}

export function formatSettings(values: S3Config): FormatSettings {
  const named = (key: 'format.class' | 'keys.format.class' | 'headers.format.class'): FormatName =>
    classMeaning(formatClasses, values[key]) ?? 'json';
  return {
    values: named('format.class'),
    keys: values['store.kafka.keys'] ? named('keys.format.class') : null,
    headers: values['store.kafka.headers'] ? named('headers.format.class') : null,
    compression: values['s3.compression.type'] as Compression,
  };
}

export const partitionerName = (values: S3Config): PartitionerName =>
  classMeaning(partitionerClasses, values['partitioner.class']) ?? 'default';

export const isTimeBased = (name: PartitionerName): boolean => name === 'time' || name === 'daily' || name === 'hourly';

/** An unknown name is NONE, as in the peer. */
export const compatibility = (values: S3Config): Compatibility => values['schema.compatibility'].toUpperCase() as Compatibility;
