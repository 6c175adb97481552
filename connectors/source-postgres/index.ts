import { defineSource } from '@millrace/runtime/api';

import manifest from './package.json' with { type: 'json' };
import { isColumnRule } from './config/column-rules.ts';
import { config } from './config/config.ts';
import { preview } from './preview/preview.ts';
import { isSelectOverride } from './config/select-overrides.ts';
import { startTask } from './task.ts';
import { isJudged } from './config/unsupported.ts';
import { validate } from './validate.ts';

/** Changes of a PostgreSQL database, as Debezium's PostgresConnector reports them. */
export default defineSource({
  version: manifest.version,
  config,
  exactlyOnceSupport: 'supported',
  alsoKnows: (key) => isJudged(key) || isColumnRule(key) || isSelectOverride(key),
  validate,
  preview: (values, context) => preview(values, context, manifest.version),
  start: (values, context) => startTask(values, context, manifest.version),
});
