/** The connection of a task, with what is set up on it; made when it is needed, and again after it was lost. */
import { RetriableError } from '@millrace/runtime/api';
import type { SinkTaskContext } from '@millrace/runtime/api';
import type { Client } from 'pg';

import { connect, endClient } from './connection.ts';
import { setUpOrigin } from './origin.ts';
import { openPositions } from './positions.ts';
import type { PositionTables } from './positions.ts';
import type { Settings } from './settings.ts';

export interface OpenLink {
  readonly client: Client;
  /** Undefined where none are kept. */
  readonly positions: PositionTables | undefined;
}

export class Link implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #context: SinkTaskContext;
  #open: OpenLink | undefined;
  #disposed = false;

  constructor(settings: Settings, context: SinkTaskContext) {
    this.#settings = settings;
    this.#context = context;
  }

  /** Rejects with an error that says what to do. */
  async open(): Promise<OpenLink> {
    return (this.#open ??= await this.#connect());
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) await endClient(open.client);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    return this.close();
  }

  async #connect(): Promise<OpenLink> {
    const client = await connect(this.#settings);
    try {
      const { log, task } = this.#context;
      const { origin, connector } = this.#settings;
      const positions = await openPositions(client, this.#settings, log);
      await setUpOrigin(client, { prefix: origin, connector, task });
      if (this.#disposed) throw new RetriableError('the task was stopped while it connected to the target.');
      return { client, positions };
    } catch (error) {
      await endClient(client);
      throw error;
    }
  }
}
