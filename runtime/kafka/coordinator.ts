import { findCoordinatorV4 } from '@platformatic/kafka';
import type { Connection } from '@platformatic/kafka';
import { RetriableError } from '../api/index.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { Cluster } from './cluster.ts';
import { answerOf, brokerError, codes, coordinatorMoved } from './protocol-error.ts';

/** What a coordinator looks after, and how FindCoordinator calls it. */
const keyTypes = { group: 0, 'transactional id': 1 } as const;

/** The way to the broker that looks after a group or a transactional id, found again when it moved. */
export class Coordinator {
  readonly #cluster: Cluster;
  readonly #clientId: string;
  readonly #key: string;
  readonly #kind: keyof typeof keyTypes;
  #found: Promise<BrokerConnection> | undefined;

  constructor(cluster: Cluster, clientId: string, key: string, kind: keyof typeof keyTypes = 'group') {
    this.#cluster = cluster;
    this.#clientId = clientId;
    this.#key = key;
    this.#kind = kind;
  }

  /** Asks it once. Rejects with a RetriableError when it did not answer; the next call looks for it again. */
  async ask<T>(question: (connection: Connection) => Promise<T>, timeoutMs?: number): Promise<T> {
    const found = (this.#found ??= this.#find());
    try {
      return await answerOf((await found).request(question, timeoutMs));
    } catch (error) {
      if (this.#found === found) await this.forget();
      throw error;
    }
  }

  /** To be called with an answer's error code: where it says that another broker is in charge, that one is looked for. */
  async noticed(errorCode: number): Promise<void> {
    if (coordinatorMoved.has(errorCode)) await this.forget();
  }

  async forget(): Promise<void> {
    const found = this.#found;
    this.#found = undefined;
    const connection = await found?.catch(() => undefined);
    if (connection !== undefined) this.#cluster.release(connection);
  }

  async #find(): Promise<BrokerConnection> {
    const doing = `${this.#kind} "${this.#key}": looking for its coordinator`;
    const answer = await this.#cluster.anyBroker((connection) =>
      answerOf(findCoordinatorV4.api.async(connection, keyTypes[this.#kind], [this.#key])),
    );
    const coordinator = answer.coordinators[0];
    if (coordinator === undefined) throw new RetriableError(`${doing}: the broker named none.`);
    if (coordinator.errorCode !== codes.none) throw brokerError(coordinator.errorCode, doing, coordinator.errorMessage);
    // Nothing was asked of the cluster yet, or the broker is new in it.
    if (!this.#cluster.knows(coordinator.nodeId)) await this.#cluster.metadata([], false);
    return this.#cluster.connect(coordinator.nodeId, this.#clientId);
  }
}
