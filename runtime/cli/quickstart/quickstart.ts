import { ConfigError } from '../../api/index.ts';
import { openDataFolder } from './data-folder.ts';
import type { DataFolder } from './data-folder.ts';
import { countLines, watchFiles } from './file-watch.ts';
import { isPortFree } from './ports.ts';
import { postgresPlace } from './postgres-binaries.ts';
import { initialisePostgres, isInitialised, startPostgres } from './postgres-server.ts';
import type { PostgresServer } from './postgres-server.ts';
import { step } from './progress.ts';
import type { Screen } from './progress.ts';
import type { QuickstartOptions } from './quickstart-options.ts';
import { openShop, startTraffic } from './shop.ts';
import { nextTrade } from './trade.ts';
import { welcome } from './welcome.ts';
import { startWorker } from './worker.ts';

/** With the statements that belong to some of them, about three changes a second. */
const tradeEveryMs = 400;

/**
 * Runs until `signal` asks it to stop; then traffic, worker and database are stopped, in this order. Throws a
 * ConfigError, with nothing left running, when it cannot start.
 */
export async function runQuickstart(options: QuickstartOptions, screen: Screen, signal: AbortSignal): Promise<void> {
  const { port, dataFolder } = options;
  if (!(await isPortFree(port))) throw new ConfigError(`Port ${port} is in use. Choose another: npm start -- --port ${port + 1}`);

  await using running = new AsyncDisposableStack();
  const folder = running.use(openDataFolder(dataFolder));
  try {
    const { failed } = await start(folder, options, screen, running, signal);
    await Promise.race([aborted(signal), failed]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await step(screen, signal.aborted ? '\nStopping: traffic, worker, database …' : '\nStopping …', () => running.disposeAsync());
  }
  screen.write(`All data are in ${folder.path}; the same command goes on from there.\n`);
}

/** Resolves when all runs. `failed` rejects when a part of it ends by itself. */
async function start(
  folder: DataFolder,
  { port, trades }: QuickstartOptions,
  screen: Screen,
  running: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<{ readonly failed: Promise<never> }> {
  const postgres = running.use(await postgresOf(folder, screen, signal));
  signal.throwIfAborted();
  if (await openShop(postgres)) screen.write('The shop is new: customers, products, orders, and an outbox.\n');
  signal.throwIfAborted();
  const before = await countLines(folder.files);
  const worker = running.use(await step(screen, 'Starting the worker …', () => startWorker(folder, port, postgres, screen)));
  signal.throwIfAborted();

  const everyMs = trades ? tradeEveryMs : Infinity;
  const onError = (error: Error): unknown => screen.write(`The shop's traffic was interrupted: ${error.message}\n`);
  const traffic = running.use(startTraffic(postgres, { everyMs, choose: () => nextTrade(), onError }));
  screen.write(welcome({ url: worker.url, postgres, folder }));
  running.use(watchFiles({ folder: folder.files, screen, before, transactions: () => traffic.transactions }));
  return { failed: Promise.race([worker.died, endOf(postgres, folder)]) };
}

async function postgresOf(folder: DataFolder, screen: Screen, signal: AbortSignal): Promise<PostgresServer> {
  const place = postgresPlace(folder, screen);
  if (!isInitialised(place)) await step(screen, 'Setting up PostgreSQL …', () => initialisePostgres(place, folder, signal));
  return step(screen, 'Starting PostgreSQL …', () => startPostgres(place, folder, signal));
}

async function endOf(postgres: PostgresServer, folder: DataFolder): Promise<never> {
  await postgres.ended;
  throw new ConfigError(`PostgreSQL ended by itself; ${folder.path}/postgres.log says why.`);
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
