/** Several herders in one process: they share stores and a log; the group, the calls between them and their tasks are scripted. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../embedded/embedded-log.ts';
import { RequestError } from '../../ports/herder.ts';
import type { Herder } from '../../ports/herder.ts';
import type { Log } from '../../ports/log.ts';
import type { Peers } from '../../ports/peers.ts';
import { signatureOf } from '../../ports/signature.ts';
import type { ConfigStore, OffsetStore, SessionKey, StatusStore } from '../../ports/stores.ts';
import { createConfigProviders } from '../../settings/config-providers.ts';
import { createConfigStore } from '../../stores/config-store.ts';
import { createStatusStore } from '../../stores/status-store.ts';
import { topicOffsetStore } from '../../stores/topic-offset-store.ts';
import { createHerder } from '../create-herder.ts';
import type { HerderOptions, InterWorker } from '../herder-context.ts';
import { scriptedPlugins, scriptedTasks } from './herder-fixture.ts';
import type { ScriptedPlugins, ScriptedTasks } from './herder-fixture.ts';
import { scriptedGroup } from './scripted-group.ts';
import type { ScriptedGroup } from './scripted-group.ts';
import { sharedJournal } from './shared-journal.ts';
import type { SharedJournal } from './shared-journal.ts';

export interface Worker {
  readonly herder: Herder;
  readonly tasks: ScriptedTasks;
  readonly plugins: ScriptedPlugins;
  readonly configStore: ConfigStore;
  readonly statusStore: StatusStore;
  readonly offsetStore: OffsetStore;
  readonly levels: Map<string, string>;
}

export interface Cluster extends AsyncDisposable {
  readonly group: ScriptedGroup;
  readonly configs: SharedJournal;
  readonly statuses: SharedJournal;
  /** What was fenced, in order. */
  readonly fenced: string[];
  /** `tasks w0 c`, `fence w0 c`: calls between workers. */
  readonly calls: string[];
  readonly logged: string[];
  /** Set: calls between workers reject with it. */
  network: RequestError | undefined;
  readonly log: Log;
  worker(index: number): Worker;
  /** Starts one more, which takes part from the next round of the group on. */
  add(): Promise<Worker>;
}

export interface ClusterOptions {
  readonly workers?: number;
  readonly exactlyOnce?: HerderOptions['exactlyOnce'];
  readonly interWorker?: Partial<InterWorker>;
  readonly times?: HerderOptions['times'];
}

const interWorker: InterWorker = {
  keyTtlMs: 3_600_000,
  keyGenerationAlgorithm: 'HmacSHA256',
  signatureAlgorithm: 'HmacSHA256',
  verificationAlgorithms: ['HmacSHA256'],
  protocol: 'sessioned',
};

/** Worker 0 leads; every connector and task is on it until `group.place` says otherwise. */
export async function openCluster({ workers: count = 2, ...options }: ClusterOptions = {}): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-'));
  const log = await openEmbeddedLog(folder);
  const group = scriptedGroup();
  const workers: Worker[] = [];
  const fenced: string[] = [];
  const stack = new AsyncDisposableStack();
  const fencing: Log = { ...log, fenceProducers: async (ids) => void fenced.push(...ids) };

  const cluster: Cluster = {
    group,
    configs: sharedJournal(),
    statuses: sharedJournal(),
    fenced,
    calls: [],
    logged: [],
    network: undefined,
    log,
    worker: (index) => workers[index] as Worker,
    async add() {
      const worker = openWorker(cluster, fencing, options, `w${workers.length}`, stack);
      workers.push(worker);
      await worker.herder.start();
      return worker;
    },
    async [Symbol.asyncDispose]() {
      await stack.disposeAsync();
      await log[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  for (let index = 0; index < count; index++) await cluster.add();
  await group.share();
  return cluster;
}

function openWorker(cluster: Cluster, log: Log, options: ClusterOptions, id: string, stack: AsyncDisposableStack): Worker {
  const write = (message: string): void => void cluster.logged.push(`${id}: ${message}`);
  const logger = { debug: write, info: write, warn: write, error: write };
  const tasks = scriptedTasks();
  const plugins = scriptedPlugins();
  const levels = new Map([['root', 'INFO']]);
  const exclusive = options.exactlyOnce !== undefined && options.exactlyOnce !== 'disabled';
  const configStore = stack.use(createConfigStore(cluster.configs.open({ exclusive })));
  const statusStore = stack.use(createStatusStore(cluster.statuses.open(), { shared: true }));
  const offsetStore = stack.use(topicOffsetStore({ log, topic: 'offsets', replicationFactor: 1, clientId: id, logger }));
  const herder = createHerder({
    configStore,
    statusStore,
    offsetStore,
    membership: cluster.group.member(id),
    taskHost: tasks,
    pluginHost: plugins,
    configProviders: createConfigProviders({}),
    log,
    logger,
    logLevels: { levels: () => Object.fromEntries(levels), set: (name, level) => void levels.set(name, level) },
    settings: {
      version: '0.1.0',
      commit: 'unknown',
      topicTracking: { enabled: true, resettable: true },
      overridePolicy: 'All',
      workerGroupId: 'workers',
    },
    peers: peersOf(cluster, options),
    interWorker: { ...interWorker, ...options.interWorker },
    exactlyOnce: options.exactlyOnce ?? 'disabled',
    times: { settleMs: 40, syncMs: 1_000, ...options.times },
  });
  stack.use(herder);
  return { herder, tasks, plugins, configStore, statusStore, offsetStore, levels };
}

/** As over REST: the body is signed, and the leader's herder is called with it. */
function peersOf(cluster: Cluster, options: ClusterOptions): Peers {
  function called(url: string, what: string): Herder {
    cluster.calls.push(what);
    if (cluster.network !== undefined) throw cluster.network;
    const index = /^http:\/\/w(\d+)\/$/.exec(url)?.[1];
    if (index === undefined) throw new RequestError(500, `there is nobody at ${url}`);
    return cluster.worker(Number(index)).herder;
  }
  const algorithm = options.interWorker?.signatureAlgorithm ?? interWorker.signatureAlgorithm;
  const signed = (body: Buffer, key: SessionKey | undefined) => ({
    signature: key && signatureOf(key.key, body, algorithm),
    algorithm: key && algorithm,
    body,
  });
  return {
    async putTaskConfigs(url, connector, configs, key) {
      const herder = called(url, `tasks ${connector}`);
      await herder.putTaskConfigs(connector, configs, signed(Buffer.from(JSON.stringify(configs)), key));
    },
    async fenceZombies(url, connector, key) {
      const herder = called(url, `fence ${connector}`);
      await herder.fenceZombies(connector, signed(Buffer.alloc(0), key));
    },
  };
}
