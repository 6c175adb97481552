/** Checks that need more than one key. Source: io.confluent.connect.s3.S3SinkConnectorValidator. */
import type { ConfigProblem, RawConfig } from '@millrace/runtime/api';
import { choosePartitioner } from './partitioning/choose.ts';
import { accessSettings, encryptionSettings, formatSettings, isTimeBased, partitionerName, proxyUrl } from './settings.ts';
import type { S3Config } from './settings.ts';

export function problemsOf(values: S3Config, raw: RawConfig): ConfigProblem[] {
  return [...formatProblems(values), ...partitionerProblems(values), ...accessProblems(values, raw), ...tagProblems(values)];
}

function formatProblems(values: S3Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { compression, ...formats } = formatSettings(values);
  const keys = { values: 'format.class', keys: 'keys.format.class', headers: 'headers.format.class' } as const;
  for (const name of ['values', 'keys', 'headers'] as const) {
    const format = formats[name];
    if (compression === 'none' || format === null || format === 'json' || format === 'bytes') continue;
    const own = format === 'avro' ? 'avro.codec' : 'parquet.codec';
    problems.push({
      key: keys[name],
      message: `s3.compression.type=${compression} is for JsonFormat and ByteArrayFormat: this format compresses by ${own}. Set s3.compression.type=none.`,
    });
  }
  if (values['behavior.on.null.values'].toLowerCase() === 'write' && !values['store.kafka.keys']) {
    problems.push({
      key: 'behavior.on.null.values',
      message: 'write needs store.kafka.keys=true: of a record without a value the key is stored',
    });
  }
  if (values['format.bytearray.extension'] !== '' && !values['format.bytearray.extension'].startsWith('.')) {
    problems.push({ key: 'format.bytearray.extension', message: 'write the extension with its dot, such as .bin' });
  }
  return problems;
}

function partitionerProblems(values: S3Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const name = partitionerName(values);
  const needs = (key: string, missing: boolean, hint: string): void => {
    if (missing) problems.push({ key, message: `${key} must be set for ${values['partitioner.class']}: ${hint}` });
  };
  if (name === 'field') needs('partition.field.name', values['partition.field.name'].length === 0, 'the fields to make folders of');
  if (isTimeBased(name)) {
    needs('timezone', values.timezone === '', 'such as UTC or Europe/Paris');
    needs('locale', values.locale === '', 'such as en-US');
  }
  if (name === 'time') {
    const path = values['path.format'];
    needs('path.format', path === '' || path === values['directory.delim'], "such as 'year'=YYYY/'month'=MM/'day'=dd");
    needs('partition.duration.ms', values['partition.duration.ms'] <= 0, 'milliseconds above 0, such as 3600000');
  }
  if (values['rotate.schedule.interval.ms'] > 0 && values.timezone === '') {
    problems.push({ key: 'timezone', message: 'timezone must be set for rotate.schedule.interval.ms, which counts from its midnight' });
  }
  if (problems.length === 0) problems.push(...pathProblems(values));
  return problems;
}

function pathProblems(values: S3Config): ConfigProblem[] {
  try {
    choosePartitioner(values);
    return [];
  } catch (error) {
    return [{ key: 'path.format', message: (error as Error).message }];
  }
}

function accessProblems(values: S3Config, raw: RawConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (values['s3.wan.mode'] && values['s3.path.style.access.enabled']) {
    for (const key of ['s3.wan.mode', 's3.path.style.access.enabled']) {
      problems.push({
        key,
        message: 'the accelerated endpoint has no path style: set s3.path.style.access.enabled=false, or s3.wan.mode=false',
      });
    }
  }
  const { role, from, keys } = accessSettings({ ...values, 's3.proxy.url': '' }, raw).credentials;
  if (from === 'assume-role' && (role?.arn === '' || role?.session === '')) {
    const message =
      'AwsAssumeRoleCredentialsProvider needs s3.credentials.provider.sts.role.arn and s3.credentials.provider.sts.role.session.name';
    problems.push({ key: 's3.credentials.provider.class', message });
  }
  if (keys === null && (values['aws.access.key.id'] !== '' || values['aws.secret.access.key'].reveal() !== '')) {
    problems.push({ key: 'aws.access.key.id', message: 'aws.access.key.id and aws.secret.access.key go together: set both, or neither' });
  }
  try {
    proxyUrl(values);
  } catch (error) {
    problems.push({ key: 's3.proxy.url', message: (error as Error).message });
  }
  return [...problems, ...encryptionProblems(values)];
}

function encryptionProblems(values: S3Config): ConfigProblem[] {
  const { customerKey, algorithm } = encryptionSettings(values);
  if (customerKey === null) return [];
  const key = 's3.sse.customer.key';
  if (algorithm.toUpperCase() !== 'AES256') return [{ key, message: 'a key of your own needs s3.ssea.name=AES256' }];
  if (Buffer.from(customerKey, 'base64').length !== 32) return [{ key, message: 'the key must be 32 bytes, in base64' }];
  return [];
}

function tagProblems(values: S3Config): ConfigProblem[] {
  const bad = values['s3.object.tagging.key.value.pairs'].find((pair) => !/^[^:]+:[^:]*$/.test(pair));
  return bad === undefined ? [] : [{ key: 's3.object.tagging.key.value.pairs', message: `"${bad}" is not of the form key:value` }];
}
