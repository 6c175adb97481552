/** The entry of the log thread: the one Kafka client, or the one SQLite writer, of a worker. */
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { collectWhenIdle } from './idle-collection.ts';
import { serveLog } from './log-server.ts';
import type { ServedPort } from './log-server.ts';
import { openLog } from './open-log.ts';
import type { LogSettings } from './open-log.ts';
import { serveCalls } from './rpc.ts';

if (parentPort === null) throw new Error('log-thread.ts runs as a worker thread');
const main = parentPort;
const opening = openLog(workerData as LogSettings, (warning) => main.postMessage({ warning } satisfies LogThreadWarning));
opening.catch(() => undefined);
/** What the log has to say to the person who runs the worker: an outage that it waits out, a setting without effect. */
export interface LogThreadWarning {
  readonly warning: string;
}

const ports = new Map<number, ServedPort>();

serveCalls(main, {
  /** Resolves once the log is open. */
  ready: async () => {
    await opening;
    flushCompileCache();
    collectWhenIdle();
  },
  serve: async (_signal, id: number, port: MessagePort) => {
    ports.set(id, serveLog(await opening, port));
  },
  /** Resolves once nothing that was opened over this port writes or reads any more. */
  release: async (_signal, id: number) => {
    await ports.get(id)?.release();
    ports.delete(id);
  },
  close: async () => {
    await Promise.all([...ports.values()].map((served) => served.release()));
    await (await opening)[Symbol.asyncDispose]();
  },
});
