/**
 * The statuses in memory, and the rules by which records of the status topic change them. Source:
 * org.apache.kafka.connect.storage.KafkaStatusBackingStore#read.
 */
import type { Logger } from '../api/index.ts';
import type { RunStatus } from '../ports/stores.ts';
import type { JournalRecord } from './journal.ts';
import { parseStatus, parseStatusKey } from './status-state.ts';
import type { StatusKey } from './status-state.ts';

export interface StatusTable {
  get(key: StatusKey): RunStatus | undefined;
  /** Null forgets. */
  set(key: StatusKey, status: RunStatus | null): void;
  setTopic(connector: string, topic: string, used: boolean): void;
  read(record: JournalRecord): void;
  /** Every connector that something is known of. */
  connectors(): readonly string[];
  tasks(connector: string): readonly number[];
  topics(connector: string): readonly string[];
  usesTopic(connector: string, topic: string): boolean;
}

export function createStatusTable(logger?: Logger): StatusTable {
  const connectors = new Map<string, RunStatus>();
  const tasks = new Map<string, Map<number, RunStatus>>();
  const topics = new Map<string, Set<string>>();

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

  return {
    get,
    set,
    setTopic,
    read({ key: bytes, value, offset }) {
      const text = bytes.toString();
      const key = parseStatusKey(text);
      if (key === undefined) {
        logger?.warn(`status topic: the record at offset ${offset} is passed over, its key "${text}" is none of a status.`);
        return;
      }
      if (key.kind === 'topic') {
        setTopic(key.connector, key.topic, value !== null);
        return;
      }
      const status = value === null ? null : parseStatus(value);
      if (status === undefined)
        logger?.error(`status topic: the record at offset ${offset}, key "${text}", is passed over: it is no status.`);
      else if (status === null || !isLate(status, get(key))) set(key, status);
    },
    connectors: () => [...new Set([...connectors.keys(), ...tasks.keys(), ...topics.keys()])].sort(),
    tasks: (connector) => [...(tasks.get(connector)?.keys() ?? [])].sort((a, b) => a - b),
    topics: (connector) => [...(topics.get(connector) ?? [])].sort(),
    usesTopic: (connector, topic) => topics.get(connector)?.has(topic) ?? false,
  };
}

/**
 * A worker that lost a task may say so after the next one runs it already. Connect passes over the word of the
 * worker itself too, and so shows RUNNING after a worker was stopped in good order, until the group shares out anew.
 */
export function isLate(status: RunStatus, before: RunStatus | null | undefined): boolean {
  return (
    status.state === 'UNASSIGNED' &&
    before?.state === 'RUNNING' &&
    before.workerId !== status.workerId &&
    before.generation >= status.generation
  );
}
