import type { Client } from 'pg';

import { endClient, socketOf } from './connection.ts';
import type { Connector } from './connection.ts';

/** One SQL connection, opened when it is first used, and again after it was lost. */
export class SqlLink implements AsyncDisposable {
  readonly #connector: Connector;
  #client: Promise<Client> | undefined;

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /** Rejects with what `work` rejects with, or with why there is no connection. */
  async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await (this.#client ?? this.#open());
    try {
      return await work(client);
    } catch (error) {
      // The query still runs: whatever came next would wait behind it.
      if ((error as Error).message === 'Query read timeout') this.drop();
      throw error;
    }
  }

  /** Leaves the connection, which may be of no use any more; the next use opens another. */
  drop(): void {
    const opened = this.#client;
    this.#client = undefined;
    opened?.then((client) => socketOf(client).destroy()).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opening = this.#client;
    this.#client = undefined;
    const client = await opening?.catch(() => undefined);
    if (client !== undefined) await endClient(client);
  }

  #open(): Promise<Client> {
    const forget = (): void => {
      if (this.#client === opened) this.#client = undefined;
    };
    const opened = this.#connector.connect().then((client) => client.once('end', forget));
    opened.catch(forget);
    this.#client = opened;
    return opened;
  }
}
