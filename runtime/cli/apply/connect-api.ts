/** The calls that applying a folder needs, with the answers of Kafka Connect 2.3 to 4.1 as types. */
import type { RawConfig } from '../../api/index.ts';
import { ConnectError } from '../../api/index.ts';
import { AnswerError } from './connect-client.ts';
import type { ConnectClient } from './connect-client.ts';
import type { InitialState } from './connector-folder.ts';

export interface PartState {
  readonly state: string;
  readonly worker_id?: string;
  readonly trace?: string;
}

export interface ConnectorStatus {
  readonly connector: PartState;
  readonly tasks: readonly (PartState & { readonly id: number })[];
}

export interface ConnectorInfo {
  readonly config: RawConfig;
  readonly tasks: readonly { readonly connector: string; readonly task: number }[];
}

export interface ValidatedKey {
  readonly name: string;
  /** Resolved: what a placeholder stands for. */
  readonly value: string | null;
  readonly errors: readonly string[];
}

export interface ConnectApi {
  readonly url: string;
  infos(): Promise<ReadonlyMap<string, ConnectorInfo>>;
  /** Those without a status yet are missing. */
  statuses(): Promise<ReadonlyMap<string, ConnectorStatus>>;
  taskConfigs(name: string): Promise<readonly RawConfig[]>;
  validate(config: RawConfig): Promise<readonly ValidatedKey[]>;
  put(name: string, config: RawConfig): Promise<void>;
  /** Throws a ConnectError when the server is older than the states (Connect 3.7). */
  create(name: string, config: RawConfig, initialState: InitialState): Promise<void>;
  /** One that is not there is gone. */
  remove(name: string): Promise<void>;
  /** False when the server is older than this request (Connect 3.0). */
  restartFailed(name: string): Promise<boolean>;
}

export function createConnectApi(client: ConnectClient): ConnectApi {
  // Asked for one by one: with both at once, Connect leaves out a connector that has no status yet.
  async function expanded<T>(what: 'info' | 'status'): Promise<ReadonlyMap<string, T>> {
    const answer = await client.request('GET', `/connectors?expand=${what}`);
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
      throw new ConnectError(`GET ${client.url}/connectors?expand=${what}: this needs Kafka Connect 2.3 or newer.`);
    }
    const entries = Object.entries(answer as Record<string, Record<string, T>>);
    return new Map(entries.flatMap(([name, parts]) => (parts[what] === undefined ? [] : [[name, parts[what]]])));
  }

  return {
    url: client.url,
    infos: () => expanded('info'),
    statuses: () => expanded('status'),
    async taskConfigs(name) {
      const tasks = (await client.request('GET', `${pathOf(name)}/tasks`)) as readonly { readonly config: RawConfig }[];
      return tasks.map(({ config }) => config);
    },
    async validate(config) {
      const plugin = encodeURIComponent(config['connector.class'] ?? '');
      const answer = await client.request('PUT', `/connector-plugins/${plugin}/config/validate`, config);
      return (answer as { readonly configs: readonly { readonly value: ValidatedKey }[] }).configs.map(({ value }) => value);
    },
    put: async (name, config) => void (await client.request('PUT', `${pathOf(name)}/config`, config)),
    async create(name, config, initialState) {
      try {
        await client.request('POST', '/connectors', { name, config, initial_state: initialState });
      } catch (error) {
        if (!(error instanceof AnswerError)) throw error;
        // An attempt of ours whose answer was lost did it; or somebody else did, and then the folder's config wins.
        if (error.status === 409) return this.put(name, config);
        if (!error.message.includes('initial_state')) throw error;
        throw new ConnectError(
          `initial_state ${initialState}: this server is older than Kafka Connect 3.7 and does not know it; nothing was made.`,
        );
      }
    },
    async remove(name) {
      try {
        await client.request('DELETE', pathOf(name));
      } catch (error) {
        if (!(error instanceof AnswerError && error.status === 404)) throw error;
      }
    },
    async restartFailed(name) {
      try {
        await client.request('POST', `${pathOf(name)}/restart?includeTasks=true&onlyFailed=true`);
        return true;
      } catch (error) {
        if (error instanceof AnswerError && (error.status === 404 || error.status === 405)) return false;
        throw error;
      }
    },
  };
}

const pathOf = (name: string): string => `/connectors/${encodeURIComponent(name)}`;
