import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createConfigProviders } from '../../settings/config-providers.ts';
import { createLogging } from '../../logging/logging.ts';
import { loadConnectorFile } from '../../settings/connector-file.ts';
import { loadWorkerSettings } from '../../settings/worker-file.ts';
import { startStandalone } from '../../standalone.ts';
import type { WorkerProcess } from '../../worker-process.ts';
import type { DataFolder } from './data-folder.ts';
import type { PostgresAddress } from './postgres-server.ts';
import type { Screen } from './progress.ts';

const configFolder = fileURLToPath(new URL('../../../config/quickstart', import.meta.url));

/** Runs `config/quickstart/worker.json` with every other file there as a connector. Its log goes to a file; errors are shown too. */
export async function startWorker(folder: DataFolder, port: number, postgres: PostgresAddress, screen: Screen): Promise<WorkerProcess> {
  // The files name these by placeholders, as `${env:QUICKSTART_DATA}`.
  process.env['QUICKSTART_DATA'] = folder.path;
  process.env['QUICKSTART_PORT'] = String(port);
  process.env['QUICKSTART_POSTGRES_PORT'] = String(postgres.port);
  process.env['QUICKSTART_POSTGRES_PASSWORD'] = postgres.password;

  const files = readdirSync(configFolder).filter((file) => file.endsWith('.json') && file !== 'worker.json');
  const settings = await loadWorkerSettings(join(configFolder, 'worker.json'), {
    resolve: async (config) => (await createConfigProviders(config).resolve(config)).config,
  });
  const connectors = await Promise.all(files.toSorted().map((file) => loadConnectorFile(join(configFolder, file))));
  const logFile = join(folder.path, 'worker.log');
  const write = (line: string): void => {
    appendFileSync(logFile, line);
    if (/\bERROR\b/.test(line)) screen.write(line);
  };
  return startStandalone(settings, connectors, createLogging({ ...settings.logging, stream: { write } }));
}
