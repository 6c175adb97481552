/**
 * Connect's REST API as a table: each row a request and its answer, in an order that makes a story. Seen on Apache
 * Kafka Connect 4.1.1, and run against it too (`test/e2e/rest-table.compat.test.ts`).
 *
 * Each server that runs the table offers FileStreamSource and FileStreamSink, and has no connectors.
 */
import { describe, test } from 'node:test';

import { checkRow } from './rest-row.ts';
import type { RestRow, RestTableWorld } from './rest-row.ts';
import { clusterRows, internalRows } from './rest-table-cluster.ts';
import { connectorRows } from './rest-table-connectors.ts';
import { mistakeRows } from './rest-table-mistakes.ts';
import { offsetRows } from './rest-table-offsets.ts';
import { serverRows } from './rest-table-server.ts';
import { sinkOffsetRows } from './rest-table-sink-offsets.ts';
import { createRestWorkers } from './rest-workers.ts';

export interface RestSubject {
  /** `http://host:port` of a worker, or of each worker of a cluster. */
  readonly urls: () => readonly string[];
  readonly world: RestTableWorld;
  /** The real Kafka Connect, where documented differences are its way. */
  readonly isConnect?: boolean;
  /** Rows that need tasks which really run are left out. */
  readonly withoutTasks?: boolean;
  /** Several workers share the work: with the rows about forwarding. */
  readonly isCluster?: boolean;
}

export function testRestTable({ urls, world, isConnect = false, withoutTasks = false, isCluster = false }: RestSubject): void {
  const sections: Readonly<Record<string, readonly RestRow[]>> = {
    'the server, plugins and loggers': serverRows(),
    'a connector’s life': connectorRows(world),
    'offsets of a source': offsetRows(world),
    'offsets of a sink': sinkOffsetRows(world),
    'mistakes of clients': mistakeRows(world),
    ...(isCluster && { 'requests that another worker answers': clusterRows(world), 'calls between workers': internalRows(world) }),
  };
  const workers = createRestWorkers(urls);
  for (const [section, rows] of Object.entries(sections)) {
    describe(section, () => {
      for (const row of rows) {
        const expected = isConnect && row.connect !== undefined ? row.connect : row.expect;
        if (expected === null || (withoutTasks && row.running)) continue;
        test(`${row.method} ${row.path}: ${row.what}`, async () => {
          const reads = row.method === 'GET' || row.method === 'HEAD';
          // Connect refuses while a rebalance is under way; ours waits.
          const checks = { eventually: isCluster && reads, rebalances: isCluster && isConnect };
          for (const worker of await workers.asked(row)) await checkRow(worker, row, expected, checks);
        });
      }
    });
  }
}
