import { metadataV12 } from '@platformatic/kafka';
import type { Connection } from '@platformatic/kafka';
import { ConfigError, RetriableError } from '../api/index.ts';
import { BrokerConnection } from './broker-connection.ts';
import type { BrokerAddress } from './broker-connection.ts';
import type { NetworkSettings } from './client-settings.ts';
import { answerOf } from './protocol-error.ts';
import { backoffMs, pause } from './retry.ts';

export interface TopicMetadata {
  /** Undefined from a broker that has no topic ids (before KIP-516), and of a topic that does not exist. */
  readonly topicId: string | undefined;
  readonly errorCode: number;
  readonly internal: boolean;
  readonly replicationFactor: number;
  /** The leader's node id of each partition; -1 while there is none. */
  readonly leaders: readonly number[];
}

/** Kafka's Uuid.ZERO_UUID: none. */
const noTopicId = '00000000-0000-0000-0000-000000000000';

type MetadataResponse = Awaited<ReturnType<typeof metadataV12.api.async>>;

/** What is known of the cluster, and the ways to its brokers. Shared by all clients with the same settings. */
export class Cluster {
  readonly network: NetworkSettings;
  readonly #clientId: string;
  readonly #connections = new Set<BrokerConnection>();
  readonly #bootstrap: readonly { readonly name: string; readonly connection: BrokerConnection }[];
  readonly #control = new Map<number, BrokerConnection>();
  readonly #closing = new AbortController();
  #brokers = new Map<number, BrokerAddress>();
  #topics = new Map<string, TopicMetadata>();
  #clusterId: string | undefined;
  #next: { readonly names: Set<string>; create: boolean; readonly done: Promise<void> } | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(network: NetworkSettings, clientId: string) {
    this.network = network;
    this.#clientId = clientId;
    this.#bootstrap = network.bootstrap.map(({ host, port }) => {
      const name = `${host}:${port}`;
      return { name, connection: this.#track(new BrokerConnection(clientId, network, name, () => ({ host, port }))) };
    });
  }

  /** Whether it is known where that broker is. */
  knows(nodeId: number): boolean {
    return this.#brokers.has(nodeId);
  }

  /** A connection of its own to a broker, for one client. */
  connect(nodeId: number, clientId: string): BrokerConnection {
    return this.#track(new BrokerConnection(clientId, this.network, `with node id ${nodeId}`, () => this.#brokers.get(nodeId)));
  }

  /** The connection that all share for short questions to a broker. */
  broker(nodeId: number): BrokerConnection {
    let connection = this.#control.get(nodeId);
    if (connection === undefined) this.#control.set(nodeId, (connection = this.connect(nodeId, this.#clientId)));
    return connection;
  }

  release(connection: BrokerConnection): void {
    connection.close();
    this.#connections.delete(connection);
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  /** The node id of the leader, or undefined while none is known. */
  leaderOf(topic: string, partition: number): number | undefined {
    const leader = this.#topics.get(topic)?.leaders[partition];
    return leader === undefined || leader < 0 ? undefined : leader;
  }

  async clusterId(): Promise<string> {
    if (this.#clusterId === undefined) await this.metadata([], false);
    return this.#clusterId as string;
  }

  /** Asks for these topics again, together with whoever asks at the same time. `create`: brokers may create what is missing. */
  refresh(names: Iterable<string>, create = false): Promise<void> {
    if (this.#next === undefined) {
      const wanted = new Set<string>();
      const done = this.#running
        .catch(() => {})
        .then(async () => {
          const { create: wantsCreate } = this.#next as { create: boolean };
          this.#next = undefined;
          await this.metadata([...wanted], wantsCreate);
        });
      this.#next = { names: wanted, create: false, done };
      this.#running = done;
      done.catch(() => {});
    }
    for (const name of names) this.#next.names.add(name);
    this.#next.create ||= create;
    return this.#next.done;
  }

  /** The topics named, or all (null), as the cluster knows them now; what does not exist has its error code. */
  async metadata(names: readonly string[] | null, create: boolean): Promise<ReadonlyMap<string, TopicMetadata>> {
    const answer = await this.anyBroker((connection) =>
      answerOf(metadataV12.api.async(connection, names === null ? null : [...names], create, false)),
    );
    return this.#learn(answer);
  }

  /**
   * Asks one broker, whichever answers: those we are connected to first, then the others, then bootstrap.servers.
   * Rejects with a RetriableError that tells what each of them said; with a ConfigError where none will ever answer.
   */
  async anyBroker<T>(ask: (connection: Connection) => Promise<T>): Promise<T> {
    const failures: Error[] = [];
    for (const connection of this.#candidates()) {
      if (this.#closing.signal.aborted) break;
      try {
        return await connection.request(ask);
      } catch (error) {
        if (!(error instanceof RetriableError)) throw error;
        failures.push(error);
      }
    }
    throw this.#unreachable(failures);
  }

  /** Repeats what fails with a RetriableError, with backoff, for `default.api.timeout.ms`; less long where `patienceMs` says so. */
  async retrying<T>(attempt: () => Promise<T>, patienceMs: (error: RetriableError) => number = () => Infinity): Promise<T> {
    const start = Date.now();
    const deadline = start + this.network.apiTimeoutMs;
    for (let failures = 1; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (
          !(error instanceof RetriableError) ||
          Date.now() >= Math.min(deadline, start + patienceMs(error)) ||
          this.#closing.signal.aborted
        )
          throw error;
      }
      await pause(Math.min(backoffMs(this.network.retry, failures), Math.max(1, deadline - Date.now())), this.#closing.signal);
    }
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  close(): void {
    this.#closing.abort();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  #track(connection: BrokerConnection): BrokerConnection {
    this.#connections.add(connection);
    return connection;
  }

  *#candidates(): Generator<BrokerConnection> {
    const control = [...this.#brokers.keys()].map((nodeId) => this.broker(nodeId));
    yield* control.filter(({ usable }) => usable);
    yield* control.filter(({ usable }) => !usable);
    for (const { connection } of this.#bootstrap) yield connection;
  }

  #learn(answer: MetadataResponse): ReadonlyMap<string, TopicMetadata> {
    if (answer.brokers.length > 0) {
      this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
      for (const [nodeId, connection] of this.#control) {
        if (this.#brokers.has(nodeId)) continue;
        this.release(connection);
        this.#control.delete(nodeId);
      }
    }
    this.#clusterId = answer.clusterId ?? this.#clusterId ?? '';
    const asked = new Map<string, TopicMetadata>();
    for (const { name, topicId: id, errorCode, isInternal, partitions } of answer.topics) {
      if (typeof name !== 'string') continue;
      const leaders: number[] = new Array<number>(partitions.length).fill(-1);
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
      const replicationFactor = partitions[0]?.replicaNodes.length ?? 0;
      const topicId = id === noTopicId ? undefined : id;
      const topic: TopicMetadata = { topicId, errorCode, internal: isInternal, replicationFactor, leaders };
      asked.set(name, topic);
      this.#topics.set(name, topic);
    }
    return asked;
  }

  #unreachable(failures: readonly Error[]): Error {
    const servers = this.#bootstrap.map(({ name }) => name).join(',');
    const told = [...new Set(failures.map(({ message }) => message.replace(/\.$/, '')))].join('; ');
    const message = `bootstrap.servers=${servers}: no broker answers: ${told}.`;
    const cause = failures.at(-1);
    // A cluster that answered before has good names: then the name service is what fails.
    if (
      this.#clusterId === undefined &&
      failures.length > 0 &&
      failures.every((each) => (each as NodeJS.ErrnoException).code === 'ENOTFOUND')
    ) {
      return new ConfigError(message, { cause, hint: 'Correct the names in bootstrap.servers.' });
    }
    return new RetriableError(message, { cause, hint: 'Check that Kafka runs there and that this machine can reach it.' });
  }
}
