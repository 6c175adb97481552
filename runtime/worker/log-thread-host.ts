/** The main thread's hold on the log thread. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { ConnectError } from '../api/index.ts';
import type { Logger } from '../api/index.ts';
import type { Log } from '../ports/log.ts';
import type { LogThreadWarning } from './log-thread.ts';
import type { LogSettings } from './open-log.ts';
import { remoteLog } from './remote-log.ts';
import { callOver } from './rpc.ts';
import { siblingModule } from './sibling-module.ts';

/** A port to the log for a thread to come. */
export interface LogPort {
  readonly port: MessagePort;
  /** Resolves once nothing that was opened over the port goes on: needed after its thread was terminated. */
  release(): Promise<void>;
}

export interface LogThreadHost extends AsyncDisposable {
  readonly kind: Log['kind'];
  /** The log, for the main thread. */
  readonly log: Log;
  openPort(): Promise<LogPort>;
  /** Rejects when the log thread dies: the worker cannot go on. */
  readonly died: Promise<never>;
}

/** Starts the log thread and waits until the log is open. Rejects with the log's own error. */
export async function startLogThread(settings: LogSettings, logger: Pick<Logger, 'warn'>): Promise<LogThreadHost> {
  const thread = new Worker(siblingModule('log-thread'), { workerData: settings, name: 'log' });
  const calls = callOver(thread);
  const { promise: died, reject } = Promise.withResolvers<never>();
  died.catch(() => undefined);
  let closing = false;
  thread.on('message', (message: LogThreadWarning) => {
    if ('warning' in message) logger.warn(message.warning);
  });
  const gone = (error: Error): void => {
    calls.fail(error);
    if (!closing) reject(error);
  };
  thread.on('error', (error: Error) => gone(new ConnectError(`the log thread died: ${error.message}`, { cause: error })));
  thread.on('exit', (code) => gone(new ConnectError(`the log thread ended with code ${code}`)));

  let ids = 0;
  async function openPort(): Promise<LogPort> {
    const id = ids++;
    const { port1, port2 } = new MessageChannel();
    await calls.call('serve', [id, port2], { transfer: [port2] });
    return { port: port1, release: () => calls.call('release', [id]) };
  }

  try {
    await calls.call('ready', []);
  } catch (error) {
    await thread.terminate();
    throw error;
  }
  const { port } = await openPort();
  return {
    kind: settings.kind,
    log: remoteLog(port, settings.kind),
    openPort,
    died,
    async [Symbol.asyncDispose]() {
      closing = true;
      await calls.call('close', []).catch(() => undefined);
      await thread.terminate();
    },
  };
}
