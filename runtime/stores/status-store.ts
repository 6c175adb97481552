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
import { encodeStatus, encodeTopicStatus, parseStatus, parseStatusKey, statusKeyText } from './status-state.ts';
import type { StatusKey } from './status-state.ts';

/** Own writes of one key on their way, and what was read of the key meanwhile, which counts when they are done. */
interface Pending {
  count: number;
  newest: number;
  tail: Promise<void>;
  read: JournalRecord | undefined;
}

export function createStatusStore(journal: Journal, options: { readonly shared: boolean; readonly logger?: Logger }): StatusStore {
  const connectors = new Map<string, RunStatus>();
  const tasks = new Map<string, Map<number, RunStatus>>();
  const topics = new Map<string, Set<string>>();
  const pending = new Map<string, Pending>();
  const stopping = new AbortController();

  function get(key: StatusKey): RunStatus | undefined {
    if (key.kind === 'connector') return connectors.get(key.connector);
    return key.kind === 'task' ? tasks.get(key.connector)?.get(key.task) : undefined;
  }

  function set(key: StatusKey, status: RunStatus | null): void {
    if (key.kind === 'connector') {
      if (status === null) connectors.delete(key.connector);
      else connectors.set(key.connector, status);
    } else if (key.kind === 'task') {
      const known = tasks.get(key.connector) ?? new Map<number, RunStatus>();
      if (status === null) known.delete(key.task);
      else known.set(key.task, status);
      if (known.size === 0) tasks.delete(key.connector);
      else tasks.set(key.connector, known);
    }
  }

  function setTopic(connector: string, topic: string, used: boolean): void {
    const known = topics.get(connector) ?? new Set<string>();
    if (used) known.add(topic);
    else known.delete(topic);
    if (known.size === 0) topics.delete(connector);
    else topics.set(connector, known);
  }

  function apply(record: JournalRecord): void {
    const text = record.key.toString();
    const key = parseStatusKey(text);
    if (key === undefined) return;
    const own = pending.get(text);
    if (own !== undefined) own.read = record;
    else if (key.kind === 'topic') setTopic(key.connector, key.topic, record.value !== null);
    else {
      const status = record.value === null ? null : (parseStatus(record.value) ?? null);
      // A worker that lost a task may say so after the next one runs it already.
      const before = get(key);
      const late =
        status?.state === 'UNASSIGNED' &&
        before?.state === 'RUNNING' &&
        before.workerId !== status.workerId &&
        before.generation >= status.generation;
      if (!late) set(key, status);
    }
  }

  async function tryWrite(text: string, value: string | null, newest: () => boolean): Promise<void> {
    for (let backoffMs = 250; ; backoffMs = Math.min(backoffMs * 2, 10_000)) {
      try {
        return await journal.write([{ key: text, value }]);
      } catch (error) {
        if (!(error instanceof RetriableError) || stopping.signal.aborted) throw error;
        if (!newest()) return;
        options.logger?.warn(`status ${text} could not be written, will try again in ${backoffMs} ms: ${error.message}`);
        await sleep(backoffMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  }

  function write(key: StatusKey, value: string | null): Promise<void> {
    const text = statusKeyText(key);
    const own = pending.get(text) ?? { count: 0, newest: 0, tail: Promise.resolve(), read: undefined };
    pending.set(text, own);
    own.count++;
    const number = ++own.newest;
    const written = own.tail.then(() => tryWrite(text, value, () => own.newest === number));
    own.tail = written
      .catch(() => {})
      .then(() => {
        if (--own.count > 0) return;
        pending.delete(text);
        if (own.read !== undefined) apply(own.read);
      });
    return written;
  }

  /** A FAILED or UNASSIGNED must not overwrite what a worker of a later generation says. */
  function overruled(key: StatusKey, status: RunStatus): boolean {
    if (!options.shared || (status.state !== 'FAILED' && status.state !== 'UNASSIGNED')) return false;
    const before = get(key);
    return before !== undefined && before.workerId !== status.workerId && before.generation > status.generation;
  }

  async function put(key: StatusKey, status: RunStatus | null): Promise<void> {
    if (status !== null && overruled(key, status)) return;
    set(key, status);
    await write(key, status === null ? null : encodeStatus(status));
  }

  const taskKey = ({ connector, task }: TaskId): StatusKey => ({ kind: 'task', connector, task });
  const numbers = (connector: string): number[] => [...(tasks.get(connector)?.keys() ?? [])].sort((a, b) => a - b);

  return {
    start: () =>
      journal.start((records) => {
        for (const record of records) apply(record);
      }),
    connectors: () => [...new Set([...connectors.keys(), ...tasks.keys(), ...topics.keys()])].sort(),
    connector: (name) => connectors.get(name),
    task: (id) => get(taskKey(id)),
    tasks: numbers,
    putConnector: (name, status) => put({ kind: 'connector', connector: name }, status),
    putTask: (id, status) => put(taskKey(id), status),
    async removeConnector(name) {
      const removals = numbers(name).map((task) => put(taskKey({ connector: name, task }), null));
      await Promise.all([put({ kind: 'connector', connector: name }, null), ...removals]);
    },
    removeTask: (id) => put(taskKey(id), null),
    topics: (connector) => [...(topics.get(connector) ?? [])].sort(),
    async addTopic(connector, task, topic) {
      if (topics.get(connector)?.has(topic)) return;
      setTopic(connector, topic, true);
      await write({ kind: 'topic', connector, topic }, encodeTopicStatus(topic, connector, task, Date.now()));
    },
    async resetTopics(connector) {
      const known = [...(topics.get(connector) ?? [])];
      topics.delete(connector);
      await Promise.all(known.map((topic) => write({ kind: 'topic', connector, topic }, null)));
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await journal[Symbol.asyncDispose]();
    },
  };
}

/** Connect's standalone habit: forgotten when the process ends. */
export function memoryStatusStore(): StatusStore {
  return createStatusStore(memoryJournal(), { shared: false });
}
