/** The composition root: the commands, and what they are made of. */
import { runCli } from './cli/program.ts';
import { createConfigProviders } from './settings/config-providers.ts';
import packageJson from './package.json' with { type: 'json' };
import { loadConnectorFile } from './settings/connector-file.ts';
import { loadWorkerSettings } from './settings/worker-file.ts';
import type { WorkerMode, WorkerSettings } from './settings/worker-settings.ts';
import { startDistributed } from './distributed.ts';
import { startStandalone } from './standalone.ts';
import type { WorkerProcess } from './worker-process.ts';
import { openLog } from './worker/open-log.ts';

/** Runs a worker until SIGTERM or SIGINT. */
async function runWorker(file: string, mode: WorkerMode, start: (settings: WorkerSettings) => Promise<WorkerProcess>): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.resolve());
  const settings = await loadWorkerSettings(file, {
    mode,
    resolve: async (config) => (await createConfigProviders(config).resolve(config)).config,
  });
  const worker = await start(settings);
  try {
    await Promise.race([stopped.promise, worker.died]);
  } finally {
    await worker[Symbol.asyncDispose]();
    // Node waits for its threads without end; everything of ours is stopped and written by now.
    if (worker.blockedThreads() > 0) process.kill(process.pid, 'SIGKILL');
  }
}

async function runStandalone(workerFile: string, connectorFiles: readonly string[]): Promise<void> {
  const connectors = await Promise.all(connectorFiles.map(loadConnectorFile));
  await runWorker(workerFile, 'standalone', (settings) => startStandalone(settings, connectors));
}

const runDistributed = (workerFile: string): Promise<void> =>
  runWorker(workerFile, 'distributed', (settings) => startDistributed(settings));

process.exit(await runCli(process.argv.slice(2), { version: packageJson.version, runStandalone, runDistributed, openLog }));
