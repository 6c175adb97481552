/** Requests that change what is wanted. Those for one connector wait for each other, not for tasks to stop or start. */
import type { RawConfig } from '../api/index.ts';
import { RequestError } from '../ports/herder.ts';
import type { ConnectorInfo, Herder } from '../ports/herder.ts';
import type { ConnectorEntry } from '../ports/stores.ts';
import type { HerderOptions } from './herder-context.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import type { Leadership } from './leadership.ts';
import { requireValid } from './validation.ts';

export type ConnectorRequests = Pick<Herder, 'createConnector' | 'putConfig' | 'patchConfig' | 'deleteConnector' | 'setTargetState'>;

export function createConnectorRequests(
  options: HerderOptions,
  queue: KeyedQueue,
  leadership: Leadership,
  entryOf: (name: string) => Promise<ConnectorEntry | undefined>,
  infoOf: (entry: ConnectorEntry) => ConnectorInfo,
): ConnectorRequests {
  const { configStore } = options;

  function stored(name: string): ConnectorEntry {
    const entry = configStore.get(name);
    if (entry === undefined) throw notFound(name);
    return entry;
  }

  /** What only the leader may do; requests for one connector one after the other. */
  async function asLeader<T>(name: string, work: () => Promise<T>): Promise<T> {
    await leadership.required();
    return queue.run(name, work);
  }

  /** Validates and stores; resolves with what is stored. */
  async function put(name: string, config: RawConfig): Promise<ConnectorInfo> {
    const named = withName(name, config);
    await requireValid(name, named, options);
    await leadership.write(() => configStore.putConnector(name, named));
    return infoOf(stored(name));
  }

  return {
    createConnector: (name, config, initialState) =>
      asLeader(name, async () => {
        const named = withName(name, config);
        await requireValid(name, named, options);
        if (configStore.get(name) !== undefined) throw new RequestError(409, `Connector ${name} already exists`);
        await leadership.write(() => configStore.putConnector(name, named, initialState));
        return infoOf(stored(name));
      }),
    putConfig: (name, config) =>
      asLeader(name, async () => {
        const created = configStore.get(name) === undefined;
        return { created, info: await put(name, config) };
      }),
    patchConfig: (name, patch) =>
      asLeader(name, async () => {
        const merged: Record<string, string> = { ...stored(name).properties };
        for (const [key, value] of Object.entries(patch)) {
          if (value === null) delete merged[key];
          else merged[key] = value;
        }
        if (Object.hasOwn(patch, 'name')) withName(name, { name: patch['name'] ?? 'null' });
        return put(name, merged);
      }),
    deleteConnector: (name) =>
      asLeader(name, async () => {
        stored(name);
        await leadership.write(() => configStore.removeConnector(name));
      }),
    async setTargetState(name, target) {
      const unknown = (): RequestError => new RequestError(404, `Unknown connector ${name}`);
      // Stopping writes task configs, as the leader alone may; what pauses and resumes is any worker's to write.
      if (target === 'STOPPED') await leadership.required();
      if ((await entryOf(name)) === undefined) throw unknown();
      await queue.run(name, async () => {
        if (configStore.get(name) === undefined) throw unknown();
        if (target !== 'STOPPED') return configStore.putTargetState(name, target);
        // First, so that workers that know no STOPPED run no tasks either (KIP-875).
        await leadership.write(() => configStore.putTaskConfigs(name, []));
        await leadership.write(() => configStore.putTargetState(name, target));
      });
    },
  };
}

export function notFound(name: string): RequestError {
  return new RequestError(404, `Connector ${name} not found`);
}

/** A connector cannot be renamed: its offsets, group and statuses go by its name. */
function withName(name: string, config: RawConfig): RawConfig {
  const configured = config['name'];
  if (configured === undefined) return { ...config, name };
  if (configured === name) return config;
  throw new RequestError(400, `Connector name configuration (${configured}) doesn't match connector name in the URL (${name})`);
}
