/** The keys that the connector acts on: Debezium's names, groups and defaults. */
import { defineConfig } from '@millrace/runtime/api';
import type { ConfigValues } from '@millrace/runtime/api';

import { columnKeys } from './config-columns.ts';
import { connectorKeys } from './config-connector.ts';
import { eventKeys } from './config-events.ts';
import { postgresKeys } from './config-postgres.ts';
import { snapshotKeys } from './config-snapshot.ts';
import { signalKeys } from './config-signals.ts';

export const config = defineConfig({
  ...postgresKeys,
  ...eventKeys,
  ...connectorKeys,
  ...columnKeys,
  ...snapshotKeys,
  ...signalKeys,
});

export type Config = ConfigValues<typeof config>;
