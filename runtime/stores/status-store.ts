/**
 * States of connectors and tasks, and the topics they use, over a journal.
 *
 * A status shows here at once, and is written behind: a log that is slow or away must not hold up the tasks that
 * report. Records of one key are written in order, and tried again while the log is away, the newest only.
 * Source: org.apache.kafka.connect.storage.KafkaStatusBackingStore.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RetriableError } from '../api/index.ts';
import type { Logger } from '../api/index.ts';
import type { RunStatus, StatusStore } from '../ports/stores.ts';
import type { TaskId } from '../ports/tasks.ts';
import type { Journal, JournalRecord } from './journal.ts';
import { memoryJournal } from './journal.ts';
import { encodeStatus, encodeTopicStatus, parseStatus, statusKeyText } from './status-state.ts';
import type { StatusKey } from './status-state.ts';
import { createStatusTable, isLate } from './status-table.ts';

/** Own writes of one key on their way, and what was read of the key meanwhile, which counts when they are done. */
interface Pending {
  count: number;
  newest: number;
  tail: Promise<void>;
  readonly read: JournalRecord[];
}

/** `shared`: other workers write to the journal too, so that FAILED and UNASSIGNED are written only where they may be true. */
export function createStatusStore(journal: Journal, options: { readonly shared: boolean; readonly logger?: Logger }): StatusStore {
  const { shared, logger } = options;
  const table = createStatusTable(logger);
  const pending = new Map<string, Pending>();
  const stopping = new AbortController();

  function apply(record: JournalRecord): void {
    const own = pending.get(record.key.toString());
    if (own === undefined) table.read(record);
    else own.read.push(record);
  }

  /**
   * A FAILED or UNASSIGNED must not overwrite what a worker of a later generation says. Nor is a late UNASSIGNED
   * written, which Connect writes and its readers pass over: compaction would leave it alone.
   * Source: KafkaStatusBackingStore.CacheEntry#canWriteSafely.
   */
  function overruled(status: RunStatus | null, by: RunStatus | null | undefined): boolean {
    if (!shared || !by || status === null || (status.state !== 'FAILED' && status.state !== 'UNASSIGNED')) return false;
    return isLate(status, by) || (by.workerId !== status.workerId && by.generation > status.generation);
  }

  async function tryWrite(text: string, value: string | null, stillWanted: () => boolean): Promise<void> {
    for (let backoffMs = 250; ; backoffMs = Math.min(backoffMs * 2, 10_000)) {
      try {
        return await journal.write([{ key: text, value }]);
      } catch (error) {
        if (!(error instanceof RetriableError) || stopping.signal.aborted) throw error;
        if (!stillWanted()) return;
        logger?.warn(`status ${text} could not be written, will try again in ${backoffMs} ms: ${error.message}`);
        await sleep(backoffMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  }

  function write(key: StatusKey, value: string | null, status: RunStatus | null = null): Promise<void> {
    const text = statusKeyText(key);
    const own: Pending = pending.get(text) ?? { count: 0, newest: 0, tail: Promise.resolve(), read: [] };
    pending.set(text, own);
    own.count++;
    const number = ++own.newest;
    const stillWanted = (): boolean => {
      const read = own.read.at(-1)?.value;
      return own.newest === number && !overruled(status, read && parseStatus(read));
    };
    const written = own.tail.then(() => tryWrite(text, value, stillWanted));
    own.tail = written
      .catch(() => {})
      .then(() => {
        if (--own.count > 0) return;
        pending.delete(text);
        for (const record of own.read) table.read(record);
      });
    return written;
  }

  async function put(key: StatusKey, status: RunStatus | null): Promise<void> {
    if (overruled(status, table.get(key))) return;
    table.set(key, status);
    await write(key, status === null ? null : encodeStatus(status), status);
  }

  const taskKey = ({ connector, task }: TaskId): StatusKey => ({ kind: 'task', connector, task });

  return {
    start: () =>
      journal.start((records) => {
        for (const record of records) apply(record);
      }),
    async readToEnd(timeoutMs) {
      // What was read of a key that is being written shows only after that.
      const own = [...pending.values()].map(({ tail }) => tail);
      await Promise.all([within(Promise.all(own), timeoutMs), journal.readToEnd(timeoutMs)]);
    },
    connectors: table.connectors,
    connector: (name) => table.get({ kind: 'connector', connector: name }),
    task: (id) => table.get(taskKey(id)),
    tasks: table.tasks,
    putConnector: (name, status) => put({ kind: 'connector', connector: name }, status),
    putTask: (id, status) => put(taskKey(id), status),
    async removeConnector(name) {
      const removals = table.tasks(name).map((task) => put(taskKey({ connector: name, task }), null));
      await Promise.all([put({ kind: 'connector', connector: name }, null), ...removals]);
    },
    removeTask: (id) => put(taskKey(id), null),
    topics: table.topics,
    async addTopic(connector, task, topic) {
      if (table.usesTopic(connector, topic)) return;
      table.setTopic(connector, topic, true);
      await write({ kind: 'topic', connector, topic }, encodeTopicStatus(topic, connector, task, Date.now()));
    },
    async resetTopics(connector) {
      const known = table.topics(connector);
      for (const topic of known) table.setTopic(connector, topic, false);
      await Promise.all(known.map((topic) => write({ kind: 'topic', connector, topic }, null)));
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await journal[Symbol.asyncDispose]();
    },
  };
}

async function within(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  const done = new AbortController();
  const late = sleep(timeoutMs, 'late', { signal: done.signal }).catch(() => {});
  const first = await Promise.race([work, late]);
  done.abort();
  if (first === 'late') throw new RetriableError(`statuses of this worker could not be written within ${timeoutMs} ms.`);
}

/** Connect's standalone habit: forgotten when the process ends. */
export function memoryStatusStore(): StatusStore {
  return createStatusStore(memoryJournal(), { shared: false });
}
