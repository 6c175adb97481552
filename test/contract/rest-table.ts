/**
 * Connect's REST API as a table: each row a request and its answer, in an order that makes a story. Seen on Apache
 * Kafka Connect 4.1.1, and run against it too (`test/e2e/rest-table.compat.test.ts`).
 *
 * A server that runs the table offers FileStreamSource and FileStreamSink, and has no connectors.
 */
import { describe, test } from 'node:test';

import { checkRow } from './rest-row.ts';
import type { RestRow, RestTableWorld } from './rest-row.ts';
import { connectorRows } from './rest-table-connectors.ts';
import { mistakeRows } from './rest-table-mistakes.ts';
import { offsetRows } from './rest-table-offsets.ts';
import { serverRows } from './rest-table-server.ts';

export interface RestSubject {
  /** `http://host:port` */
  readonly url: () => string;
  readonly world: RestTableWorld;
  /** The real Kafka Connect, where documented differences are its way. */
  readonly isConnect?: boolean;
  /** Rows that need tasks which really run are left out. */
  readonly withoutTasks?: boolean;
}

export function testRestTable({ url, world, isConnect = false, withoutTasks = false }: RestSubject): void {
  const sections: Readonly<Record<string, readonly RestRow[]>> = {
    'the server, plugins and loggers': serverRows(),
    'a connector’s life': connectorRows(world),
    offsets: offsetRows(world),
    'mistakes of clients': mistakeRows(world),
  };
  for (const [section, rows] of Object.entries(sections)) {
    describe(section, () => {
      for (const row of rows) {
        const expected = isConnect && row.connect !== undefined ? row.connect : row.expect;
        if (expected === null || (withoutTasks && row.running)) continue;
        test(`${row.method} ${row.path}: ${row.what}`, () => checkRow(url(), row, expected));
      }
    });
  }
}
