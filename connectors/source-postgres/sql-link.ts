import type { Client } from 'pg';

import { endClient } from './connection.ts';
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
    return work(await (this.#client ?? this.#open()));
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
