/** What can be known of a config before a task starts, Elasticsearch asked. Source: io.confluent.connect.elasticsearch.Validator. */
import { ConfigError } from '@millrace/runtime/api';
import type { ConfigProblem, RawConfig } from '@millrace/runtime/api';

import { createClient } from './client.ts';
import type { ElasticClient } from './client.ts';
import { problemOf } from './client-problem.ts';
import type { Config } from './config.ts';
import { tlsPrefix } from './config-security.ts';
import { externalResources } from './resource-names.ts';
import { ruleProblems } from './rules.ts';

export async function validate(values: Config, raw: RawConfig): Promise<readonly ConfigProblem[]> {
  const problems = ruleProblems(values, raw);
  if (problems.length > 0) return problems;
  try {
    await using client = await createClient(values);
    const unreachable = await connectionProblems(client, values);
    return unreachable.length > 0 ? unreachable : await resourceProblems(client, values);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ key: error.message.startsWith(tlsPrefix) ? 'elastic.security.protocol' : 'connection.url', message: error.message }];
  }
}

async function connectionProblems(client: ElasticClient, values: Config): Promise<ConfigProblem[]> {
  let body;
  try {
    body = await client.send('GET', '/');
  } catch (error) {
    const { status, reason } = problemOf(error);
    if (status === 401) {
      const message = `Elasticsearch does not know the user, the password or the API key: ${reason}`;
      const keys = values['connection.api.key'] === null ? ['connection.username', 'connection.password'] : ['connection.api.key'];
      return keys.map((key) => ({ key, message }));
    }
    // It answers, although not to this user (403), or not this question (405).
    if (status !== undefined && status >= 400 && status < 500 && status !== 407) return [];
    const message = `Elasticsearch cannot be reached: ${reason}`;
    const keys: (keyof Config)[] = ['connection.url'];
    if (values['elastic.security.protocol'].toUpperCase() === 'SSL') keys.push('elastic.security.protocol');
    if (values['proxy.host'] !== '') keys.push('proxy.host');
    return keys.map((key) => ({ key, message }));
  }
  const version = String((body as { version?: { number?: string } } | undefined)?.version?.number ?? '');
  const major = Number(version.split('.')[0]);
  return version !== '' && major < 7
    ? [{ key: 'connection.url', message: `Elasticsearch ${version} is too old: 7.14 or later is needed` }]
    : [];
}

async function resourceProblems(client: ElasticClient, values: Config): Promise<ConfigProblem[]> {
  const usage = values['external.resource.usage'].toUpperCase();
  if (usage === 'DISABLED') return [];
  const key = 'topic.to.external.resource.mapping';
  const problems: ConfigProblem[] = [];
  for (const resource of externalResources(values).values()) {
    const name = encodeURIComponent(resource);
    const kind = usage.toLowerCase().replace('_', ' of ').replace('datastream', 'data stream');
    try {
      const found = await client.send('HEAD', usage.startsWith('ALIAS') ? `/_alias/${name}` : `/${name}`);
      if (found !== true) problems.push({ key, message: `There is no ${kind} "${resource}" in Elasticsearch: make it first` });
    } catch (error) {
      problems.push({ key, message: `Whether ${kind} "${resource}" exists could not be found out: ${problemOf(error).reason}` });
    }
  }
  return problems;
}
