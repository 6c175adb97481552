/** One worker, alone, with the connectors of its files. */
import { singleMembership } from './herder/single-membership.ts';
import { createLogging } from './logging/logging.ts';
import type { Logging } from './logging/logging.ts';
import type { Herder } from './ports/herder.ts';
import type { ConnectorFile } from './settings/connector-file.ts';
import type { WorkerSettings } from './settings/worker-settings.ts';
import { startWorkerProcess } from './worker-process.ts';
import type { WorkerProcess } from './worker-process.ts';
import { localStores, topicStores } from './worker-stores.ts';

/**
 * Starts a worker and creates or updates the connectors given. Throws a ConfigError, with nothing left running,
 * when a setting cannot work; a connector that is refused is logged, and the others run (as Connect does).
 */
export async function startStandalone(
  settings: WorkerSettings,
  connectors: readonly ConnectorFile[],
  logging: Logging = createLogging(settings.logging),
): Promise<WorkerProcess> {
  const { stores, offsetFile = '' } = settings;
  const worker = await startWorkerProcess(settings, logging, {
    stores: (logThread) => (stores === undefined ? localStores(offsetFile) : topicStores(stores, settings, logThread, logging)),
    company: async ({ workerId }) => ({ membership: singleMembership(workerId) }),
  });
  for (const connector of connectors) await createOrUpdate(worker.herder, connector, logging);
  logging.logger('millrace').info(`worker ready: ${worker.url}`);
  return worker;
}

async function createOrUpdate(herder: Herder, { name, config, initialState, file }: ConnectorFile, logging: Logging): Promise<void> {
  try {
    if ((await herder.connectors()).includes(name)) await herder.putConfig(name, config);
    else await herder.createConnector(name, config, initialState);
  } catch (error) {
    logging.logger('millrace').error(`connector ${name} (${file}) was not created: ${(error as Error).message}`);
  }
}
