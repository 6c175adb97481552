/** Runs connectors' code outside tasks in a thread that lives for a few seconds, each call bounded in time. */
import { Worker } from 'node:worker_threads';
import { ConnectError } from '../api/index.ts';
import type { Logger } from '../api/index.ts';
import type { PluginHost } from '../ports/tasks.ts';
import { discoverPlugins } from '../plugins/plugin-index.ts';
import { callOver } from './rpc.ts';
import type { Caller } from './rpc.ts';
import { siblingModule } from './sibling-module.ts';

export interface PluginHostSettings {
  readonly pluginPath: readonly string[];
  /** A call that takes longer is ended, its thread with it. */
  readonly callTimeoutMs: number;
}

const idleMs = 5000;

export async function createPluginHost({ pluginPath, callTimeoutMs }: PluginHostSettings, log: Pick<Logger, 'warn'>): Promise<PluginHost> {
  const index = await discoverPlugins(pluginPath, { warn: (message) => log.warn(message) });
  let current: { thread: Worker; calls: Caller; running: number; idle: NodeJS.Timeout | undefined } | undefined;

  function thread(): NonNullable<typeof current> {
    if (current !== undefined) return current;
    const worker = new Worker(siblingModule('plugin-thread'), { workerData: { pluginPath }, name: 'plugins' });
    const mine = { thread: worker, calls: callOver(worker), running: 0, idle: undefined };
    const gone = (error: Error): void => {
      mine.calls.fail(error);
      if (current === mine) current = undefined;
    };
    worker.on('error', (error: Error) => gone(new ConnectError(`a connector's code broke its thread: ${error.message}`, { cause: error })));
    worker.on('exit', () => gone(new ConnectError('the plugin thread ended')));
    return (current = mine);
  }

  async function call<T>(what: string, method: string, args: readonly unknown[]): Promise<T> {
    const used = thread();
    clearTimeout(used.idle);
    used.running++;
    const timer = setTimeout(() => {
      used.calls.fail(new ConnectError(`${what} took longer than ${callTimeoutMs} ms and was ended`));
      if (current === used) current = undefined;
      void used.thread.terminate();
    }, callTimeoutMs);
    try {
      return await used.calls.call<T>(method, args);
    } finally {
      clearTimeout(timer);
      used.running--;
      if (used.running === 0 && current === used) {
        used.idle = setTimeout(() => {
          if (current === used) current = undefined;
          void used.thread.terminate();
        }, idleMs).unref();
      }
    }
  }

  const nameOf = (config: Readonly<Record<string, string>>): string => config['name'] ?? config['connector.class'] ?? 'the connector';
  return {
    plugins: () => index.infos(),
    kindOf: (connectorClass) => index.kindOf(connectorClass),
    versionOf: (connectorClass) => index.versionOf(connectorClass),
    pluginConfig: (plugin) => call(`describing ${plugin}`, 'pluginConfig', [plugin]),
    validate: (config) => call(`validating ${nameOf(config)}`, 'validate', [config]),
    taskConfigs: (config, maxTasks) => call(`making the task configs of ${nameOf(config)}`, 'taskConfigs', [config, maxTasks]),
    alterSourceOffsets: (config, offsets) => call(`checking the offsets of ${nameOf(config)}`, 'alterSourceOffsets', [config, offsets]),
    alterSinkOffsets: (config, offsets) => call(`checking the offsets of ${nameOf(config)}`, 'alterSinkOffsets', [config, offsets]),
    async [Symbol.asyncDispose]() {
      await current?.thread.terminate();
    },
  };
}
