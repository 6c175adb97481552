/** The class names that configs use, and what they stand for here. */
import type { ConfigRule } from '@millrace/runtime/api';

export type FormatName = 'json' | 'bytes' | 'avro' | 'parquet';
export type PartitionerName = 'default' | 'field' | 'time' | 'daily' | 'hourly';
export type CredentialsName = 'default' | 'assume-role' | 'anonymous' | 'environment' | 'profile' | 'container' | 'instance';

export const formatClasses: Readonly<Record<string, FormatName>> = {
  'io.confluent.connect.s3.format.json.JsonFormat': 'json',
  'io.confluent.connect.s3.format.bytearray.ByteArrayFormat': 'bytes',
  'io.confluent.connect.s3.format.avro.AvroFormat': 'avro',
  'io.confluent.connect.s3.format.parquet.ParquetFormat': 'parquet',
};

export const headerFormatClasses = Object.fromEntries(Object.entries(formatClasses).filter(([, name]) => name !== 'bytes'));

const partitioners = 'io.confluent.connect.storage.partitioner';
export const partitionerClasses: Readonly<Record<string, PartitionerName>> = {
  [`${partitioners}.DefaultPartitioner`]: 'default',
  [`${partitioners}.FieldPartitioner`]: 'field',
  [`${partitioners}.TimeBasedPartitioner`]: 'time',
  [`${partitioners}.DailyPartitioner`]: 'daily',
  [`${partitioners}.HourlyPartitioner`]: 'hourly',
};

const awsProviders = 'software.amazon.awssdk.auth.credentials';
export const credentialsClasses: Readonly<Record<string, CredentialsName>> = {
  [`${awsProviders}.DefaultCredentialsProvider`]: 'default',
  'com.amazonaws.auth.DefaultAWSCredentialsProviderChain': 'default',
  'com.amazonaws.auth.AnonymousAWSCredentials': 'anonymous',
  'com.amazonaws.auth.EnvironmentVariableCredentialsProvider': 'environment',
  'com.amazonaws.auth.profile.ProfileCredentialsProvider': 'profile',
  'com.amazonaws.auth.EC2ContainerCredentialsProviderWrapper': 'container',
  'com.amazonaws.auth.ContainerCredentialsProvider': 'container',
  'com.amazonaws.auth.InstanceProfileCredentialsProvider': 'instance',
  'io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider': 'assume-role',
  [`${awsProviders}.AnonymousCredentialsProvider`]: 'anonymous',
  [`${awsProviders}.EnvironmentVariableCredentialsProvider`]: 'environment',
  [`${awsProviders}.ProfileCredentialsProvider`]: 'profile',
  [`${awsProviders}.ContainerCredentialsProvider`]: 'container',
  [`${awsProviders}.InstanceProfileCredentialsProvider`]: 'instance',
};

export const storageClass = 'io.confluent.connect.s3.storage.S3Storage';

/** What a class name, whole or its last part, stands for. */
export function classMeaning<T>(classes: Readonly<Record<string, T>>, name: string): T | undefined {
  const trimmed = name.trim();
  const whole = Object.keys(classes).find((each) => each === trimmed || each.slice(each.lastIndexOf('.') + 1) === trimmed);
  return whole === undefined ? undefined : classes[whole];
}

/** Refuses the names of classes that would have to be loaded from a JVM. */
export function knownClass(classes: Readonly<Record<string, unknown>>): ConfigRule {
  return {
    kind: 'custom',
    check(value) {
      if (typeof value !== 'string' || classMeaning(classes, value) !== undefined) return undefined;
      return `class ${value} is not available: classes of your own need a JVM. Choose one of ${Object.keys(classes).join(', ')}`;
    },
  };
}
