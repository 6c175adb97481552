/** What can be known of a config before a task starts, the database asked. */
import { ConfigError, ConnectError } from '@millrace/runtime/api';
import type { ConfigProblem, RawConfig } from '@millrace/runtime/api';

import type { Config } from './config/config.ts';
import { createConnector, endClient } from './connection/connection.ts';
import { codeOf } from './connection/errors.ts';
import { maskedKeyWarnings } from './catalog/masked-keys.ts';
import { readSettings } from './config/settings.ts';
import type { Settings } from './config/settings.ts';
import { checkServer, findSlot } from './slot/slot.ts';
import { capturedTables } from './catalog/tables.ts';
import { unsupportedKeys } from './config/unsupported.ts';

/** Problems under the keys under which Debezium reports them. */
export async function validate(config: Config, raw: RawConfig): Promise<readonly ConfigProblem[]> {
  const { refused } = unsupportedKeys(raw);
  if (refused.length > 0) return refused;
  let settings: Settings;
  try {
    settings = readSettings(config, raw);
  } catch (error) {
    const { message } = error as Error;
    const named = /^([a-z]+(?:\.[\w-]+)+)/.exec(message)?.[1] ?? 'topic.prefix';
    // Messages cut off keys that hold a salt.
    return [{ key: Object.keys(raw).find((key) => key.startsWith(named)) ?? named, message }];
  }
  const connector = createConnector(config);
  let client;
  try {
    client = await connector.connect();
  } catch (error) {
    return [{ key: keyOf(error), message: `Error while validating connector config: ${(error as Error).message}` }];
  }
  try {
    const warnings = async (): Promise<ConfigProblem[]> =>
      (await maskedKeyWarnings(client, settings)).map((message) => ({ key: 'message.key.columns', message, warning: true }));
    if (!settings.snapshotRules.stream) return await warnings();
    await checkServer(client, config['database.user']);
    await findSlot(client, settings);
    if (settings.autocreate === 'filtered' && (await capturedTables(client, settings)).length === 0) {
      return [
        {
          key: 'table.include.list',
          message: `No table filters found for filtered publication ${settings.publication}: no table of database "${settings.database}" matches.`,
        },
      ];
    }
    return await warnings();
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const key = error instanceof ConfigError && /slot/.test(error.message) ? 'slot.name' : 'database.hostname';
    return [{ key: /may not replicate/.test(error.message) ? 'database.user' : key, message: error.message }];
  } finally {
    await endClient(client);
  }
}

function keyOf(error: unknown): string {
  switch (codeOf((error as { cause?: unknown }).cause)) {
    case '28P01':
    case '28000':
      return 'database.user';
    case '3D000':
      return 'database.dbname';
  }
  return 'database.hostname';
}
