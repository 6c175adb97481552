import { defineSink } from '@millrace/runtime/api';

import { alterPositions } from './alter-offsets.ts';
import { debeziumConfig } from './config-debezium.ts';
import manifest from './package.json' with { type: 'json' };
import { alsoKnows, problemsOf, startTask } from './plugin.ts';
import { readRaw } from './raw-config.ts';
import { debeziumSettings } from './settings.ts';

const knows = (key: string): boolean => alsoKnows(key) || key.startsWith('hibernate.');

/** Rows of a PostgreSQL database from records, by the keys of Debezium's JdbcSinkConnector. */
export default defineSink({
  version: manifest.version,
  config: debeziumConfig,
  alsoKnows: knows,
  validate: (values, raw) => problemsOf(() => debeziumSettings(values, raw), raw),
  start: async (values, context) => {
    const jvm = Object.keys(context.rawConfig).filter((key) => key.startsWith('hibernate.'));
    if (jvm.length > 0) context.log.warn(`connector ${context.connector}: ${jvm.join(', ')} has no effect: there is no Hibernate here`);
    return startTask(debeziumSettings(values, context.rawConfig, context.connector), context);
  },
  alterOffsets: (raw, offsets) => alterPositions(debeziumSettings(readRaw(debeziumConfig, raw), raw), raw, offsets),
});
