/** The entry of the log thread: the one Kafka client, or the one SQLite writer, of a worker. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { serveLog } from './log-server.ts';
import type { ServedPort } from './log-server.ts';
import { openLog } from './open-log.ts';
import type { LogSettings } from './open-log.ts';
import { serveCalls } from './rpc.ts';

if (parentPort === null) throw new Error('log-thread.ts runs as a worker thread');
const opening = openLog(workerData as LogSettings);
opening.catch(() => undefined);
const ports = new Map<number, ServedPort>();

serveCalls(parentPort, {
  /** Resolves once the log is open. */
  ready: async () => void (await opening),
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
