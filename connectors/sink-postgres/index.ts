import { defineSink } from '@millrace/runtime/api';

import { alterPositions } from './alter-offsets.ts';
import { confluentConfig } from './config-confluent.ts';
import manifest from './package.json' with { type: 'json' };
import { alsoKnows, problemsOf, startTask } from './plugin.ts';
import { readRaw } from './raw-config.ts';
import { confluentSettings } from './settings.ts';

/** Rows of a PostgreSQL database from records, by the keys of Confluent's JdbcSinkConnector. */
export default defineSink({
  version: manifest.version,
  config: confluentConfig,
  alsoKnows,
  validate: (values, raw) => problemsOf(() => confluentSettings(values, raw), raw),
  start: async (values, context) => startTask(confluentSettings(values, context.rawConfig, context.connector), context),
  alterOffsets: (raw, offsets) => alterPositions(confluentSettings(readRaw(confluentConfig, raw), raw), raw, offsets),
});
