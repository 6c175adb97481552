import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createDataFolder } from './data-folder.ts';
import { groupProperties } from './connect.ts';
import { freePort } from './free-port.ts';
import { startServer } from './server.ts';
import type { Server } from './server.ts';

/** A worker of ours in a process of its own, so that it can be killed. */
export interface MillraceServer extends Server {
  readonly url: string;
  /** Its folder: the embedded log is in `log`, and files may be written here. */
  readonly folder: string;
  readonly readyAfterMs: number;
  /** Calls its REST API. Throws for an answer that is no success. */
  request(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Makes or changes a connector. */
  put(name: string, config: Readonly<Record<string, string>>): Promise<void>;
  /** Each task's state and trace. */
  status(name: string): Promise<ConnectorStatus>;
}

export interface ConnectorStatus {
  readonly connector: { readonly state: string; readonly trace?: string };
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly trace?: string }[];
}

export interface MillraceOptions {
  /** Left out: the embedded log, in its folder. */
  readonly brokers?: readonly string[];
  /** A distributed worker: those with the same group share their connectors, and their topics GROUP-configs, … */
  readonly group?: string;
  /** Further worker properties; they win over ours. */
  readonly properties?: Readonly<Record<string, string>>;
}

const runtime = fileURLToPath(new URL('../../runtime/cli/bin.mjs', import.meta.url));

export async function startMillrace(options: MillraceOptions = {}): Promise<MillraceServer> {
  const { brokers, group } = options;
  const folder = createDataFolder('worker');
  const url = `http://127.0.0.1:${await freePort()}`;
  const workerFile = join(folder.path, 'worker.json');
  const properties = {
    'bootstrap.servers': brokers?.join(',') ?? `embedded:${join(folder.path, 'log')}`,
    listeners: url,
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'offset.flush.interval.ms': '1000',
    ...(group === undefined ? brokers && { 'offset.storage.file.filename': join(folder.path, 'connect.offsets') } : groupProperties(group)),
    ...options.properties,
  };
  writeFileSync(workerFile, JSON.stringify(properties));
  const begin = performance.now();
  const server = await startServer({
    name: 'Millrace',
    command: process.execPath,
    args: [runtime, group === undefined ? 'standalone' : 'distributed', workerFile],
    folder,
    isReady: async () => (await fetch(`${url}/connectors`, { signal: AbortSignal.timeout(5_000) })).ok,
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM',
    graceMs: 30_000,
    discardSignal: 'SIGKILL',
  });

  async function request(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(url + path, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  }

  return Object.assign(server, {
    url,
    folder: folder.path,
    readyAfterMs: performance.now() - begin,
    request,
    put: async (name: string, config: Readonly<Record<string, string>>) =>
      void (await request('PUT', `/connectors/${name}/config`, config)),
    status: (name: string) => request('GET', `/connectors/${name}/status`) as Promise<ConnectorStatus>,
  });
}
