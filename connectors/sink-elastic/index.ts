import { ConfigError, defineSink } from '@millrace/runtime/api';

import { createClient } from './client.ts';
import { config } from './config.ts';
import { offsetsAltered } from './offsets.ts';
import manifest from './package.json' with { type: 'json' };
import { ruleProblems } from './rules.ts';
import { elasticTask } from './task.ts';
import { validate } from './validate.ts';

/** Writes records as documents (io.confluent.connect.elasticsearch.ElasticsearchSinkConnector). */
export default defineSink({
  version: manifest.version,
  config,
  validate,
  async alterOffsets(raw, offsets) {
    await offsetsAltered(raw, offsets);
    // They are the consumer group's alone.
    return true;
  },
  async start(values, context) {
    const problems = ruleProblems(values, context.rawConfig);
    if (problems.length > 0) throw new ConfigError([...new Set(problems.map(({ message }) => message))].join(' '));
    return elasticTask(values, context, await createClient(values));
  },
});
