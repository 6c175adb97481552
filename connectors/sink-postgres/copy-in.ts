/** COPY … FROM STDIN on a connection of pg's. Source: PostgreSQL, Message Flow, COPY Operations. */
import type { Client, Submittable } from 'pg';

interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Sends the chunks as they are made, so that the server reads the first while the next is made. Rejects with the server's error; the connection stays usable. */
export function copyIn(client: Client, sql: string, chunks: Iterable<Buffer>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const query = {
    submit(connection: CopyConnection): void {
      connection.query(sql);
    },
    handleCopyInResponse(connection: CopyConnection): void {
      for (const chunk of chunks) connection.sendCopyFromChunk(chunk);
      connection.endCopyFrom();
    },
    handleCommandComplete(): void {},
    handleRowDescription(): void {},
    handleDataRow(): void {},
    handleEmptyQuery(): void {},
    handlePortalSuspended(): void {},
    handleCopyData(): void {},
    // Nothing more is told to a query that failed, not even when the connection is ready for the next.
    handleError: reject,
    handleReadyForQuery: () => resolve(),
  };
  client.query(query as unknown as Submittable);
  return promise;
}
