/** What must hold between keys. Source: io.confluent.connect.elasticsearch.Validator. */
import { ConfigError } from '@millrace/runtime/api';
import type { ConfigProblem, RawConfig } from '@millrace/runtime/api';

import type { Config } from './config.ts';
import { tlsPrefix } from './config-security.ts';
import { externalResources } from './resource-names.ts';
import { isDataStream } from './settings.ts';

export function ruleProblems(values: Config, raw: RawConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const say = (message: string, ...keys: (keyof Config)[]): void => void problems.push(...keys.map((key) => ({ key, message })));
  const both = (a: keyof Config, b: keyof Config): void => say(`${a} and ${b}: one needs the other. Set both, or neither.`, a, b);
  const has = (key: keyof Config): boolean => values[key] !== null && String(values[key]) !== '';

  if (has('connection.username') !== has('connection.password')) both('connection.username', 'connection.password');
  if (has('connection.api.key') && has('connection.username'))
    say('Set connection.api.key or connection.username, not both.', 'connection.api.key', 'connection.username');
  resourceRules(values, raw, say);
  streamRules(values, say);
  for (const [all, some] of [
    ['key.ignore', 'topic.key.ignore'],
    ['schema.ignore', 'topic.schema.ignore'],
  ] as const) {
    if (values[all] && values[some].length > 0) say(`${some} says nothing where ${all} is true: leave one of them out.`, all, some);
  }
  if (values['linger.ms'] > values['flush.timeout.ms'])
    say(
      `linger.ms (${values['linger.ms']}) must not be larger than flush.timeout.ms (${values['flush.timeout.ms']}).`,
      'linger.ms',
      'flush.timeout.ms',
    );
  const least = values['batch.size'] * values['max.in.flight.requests'];
  if (values['max.buffered.records'] < least)
    say(
      `max.buffered.records (${values['max.buffered.records']}) must be at least batch.size × max.in.flight.requests (${least}).`,
      'max.buffered.records',
      'batch.size',
      'max.in.flight.requests',
    );
  if (has('proxy.host')) {
    if (has('proxy.username') !== has('proxy.password')) both('proxy.username', 'proxy.password');
  } else {
    for (const key of ['proxy.username', 'proxy.password'] as const) if (has(key)) say(`${key} needs proxy.host.`, key, 'proxy.host');
  }
  const tlsKeys = Object.keys(raw).filter((key) => key.startsWith(tlsPrefix));
  if (values['elastic.security.protocol'].toUpperCase() !== 'SSL' && tlsKeys.length > 0)
    say(`${tlsKeys.join(', ')}: set elastic.security.protocol=SSL with it, or remove it.`, 'elastic.security.protocol');
  return problems;
}

type Say = (message: string, ...keys: (keyof Config)[]) => void;

function resourceRules(values: Config, raw: RawConfig, say: Say): void {
  const usage = 'external.resource.usage';
  const mapping = 'topic.to.external.resource.mapping';
  const wanted = values[usage].toUpperCase() !== 'DISABLED';
  if (wanted !== values[mapping].length > 0)
    return say(`${usage} and ${mapping}: one needs the other. Set both, or neither.`, usage, mapping);
  if (!wanted) return;
  if (values['data.stream.type'].toUpperCase() !== 'NONE' || values['data.stream.dataset'] !== '')
    return say(
      `${mapping} names the resources, so data.stream.type and data.stream.dataset must not be set.`,
      mapping,
      'data.stream.type',
      'data.stream.dataset',
    );
  let mapped;
  try {
    mapped = externalResources(values);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return say(error.message, mapping);
  }
  // With topics.regex, what there is to map is not known; a topic that is left out fails the task when it comes.
  if (raw['topics'] === undefined) return;
  const topics = new Set(raw['topics'].split(',').map((topic) => topic.trim()));
  for (const topic of topics)
    if (topic !== '' && !mapped.has(topic)) return say(`Topic "${topic}" is not mapped. Each topic must be.`, mapping);
  for (const topic of mapped.keys()) if (!topics.has(topic)) return say(`Topic "${topic}" is mapped, but is not in topics.`, mapping);
}

function streamRules(values: Config, say: Say): void {
  const typed = values['data.stream.type'].toUpperCase() !== 'NONE';
  if (typed !== (values['data.stream.dataset'] !== ''))
    say('data.stream.type and data.stream.dataset: one needs the other. Set both, or neither.', 'data.stream.type', 'data.stream.dataset');
  if (!isDataStream(values)) {
    if (values['data.stream.timestamp.field'].length > 0)
      say('data.stream.timestamp.field is for data streams alone: remove it.', 'data.stream.timestamp.field');
    return;
  }
  if (values['write.method'].toUpperCase() === 'UPSERT') say('Data streams take no upserts: write.method must be INSERT.', 'write.method');
  if (values['behavior.on.null.values'].toUpperCase() === 'DELETE')
    say('Data streams take no deletes: behavior.on.null.values must be IGNORE or FAIL.', 'behavior.on.null.values');
}
