/** heartbeat.action.query, on a connection of its own: one that takes long, or waits for a lock, holds nothing else up. */
import type { Logger } from '@millrace/runtime/api';

import type { Connector } from './connection.ts';
import { explain } from './errors.ts';
import { SqlLink } from './sql-link.ts';

export interface HeartbeatQuery extends AsyncDisposable {
  /** Runs it, unless it still runs. */
  run(): void;
}

export function createHeartbeatQuery(connector: Connector, query: string | null, log: Logger): HeartbeatQuery {
  const link = new SqlLink(connector);
  let running = false;
  let over = false;
  return {
    run() {
      if (query === null || running || over) return;
      running = true;
      link
        .use((client) => client.query(query))
        .catch((error: unknown) => {
          if (!over) log.warn(explain(error, 'run heartbeat.action.query').message);
        })
        .finally(() => (running = false));
    },
    async [Symbol.asyncDispose]() {
      over = true;
      link.drop();
    },
  };
}
