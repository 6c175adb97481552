import { relative } from 'node:path';

import type { DataFolder } from './data-folder.ts';
import type { PostgresAddress } from './postgres-server.ts';
import { shopDatabase } from './shop.ts';

export interface WhatRuns {
  readonly url: string;
  readonly postgres: PostgresAddress;
  readonly folder: DataFolder;
}

/** What runs, where it is, and what to try. */
export function welcome({ url, postgres, folder }: WhatRuns): string {
  const inFolder = shorter(folder.path);
  return `
Millrace is running:
  the shop    PostgreSQL on 127.0.0.1:${postgres.port}, database "${shopDatabase}", with some traffic
  the worker  Kafka Connect's REST API at ${url}; its log is an SQLite file in ${inFolder}/log
  the files   ${inFolder}/files: orders, customers, products (row changes), events (the outbox)

Try, in another terminal:
  tail -f ${inFolder}/files/orders.jsonl
  curl -s '${url}/connectors?expand=status'
  npm run millrace -- topic read shop.public.orders --embedded ${inFolder}/log --follow

Ctrl-C stops it; the same command goes on where it stopped.

`;
}

function shorter(path: string): string {
  const here = relative(process.cwd(), path);
  return here.startsWith('..') || here === '' ? path : here;
}
