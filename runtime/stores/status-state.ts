/**
 * Keys and values of Connect's status topic. Source: org.apache.kafka.connect.storage.KafkaStatusBackingStore.
 *
 *     status-connector-NAME        {"state":"RUNNING","trace":null,"worker_id":"host:8083","generation":2,"version":"1.0"}
 *     status-task-NAME-0           the same, and with a report of ours "millrace_report":{"snapshot":{"rows":7}}
 *     status-topic-TOPIC:connector-NAME   {"topic":{"name":"TOPIC","connector":"NAME","task":0,"discoverTimestamp":1795303786656}}
 */
import type { TaskReport } from '../api/index.ts';
import type { RunState, RunStatus } from '../ports/stores.ts';
import { parseExact, stringifyExact } from './exact-json.ts';

export type StatusKey =
  | { readonly kind: 'connector'; readonly connector: string }
  | { readonly kind: 'task'; readonly connector: string; readonly task: number }
  | { readonly kind: 'topic'; readonly connector: string; readonly topic: string };

const states: readonly string[] = ['UNASSIGNED', 'RUNNING', 'PAUSED', 'FAILED', 'RESTARTING', 'STOPPED'] satisfies RunState[];

export function statusKeyText(key: StatusKey): string {
  switch (key.kind) {
    case 'connector':
      return `status-connector-${key.connector}`;
    case 'task':
      return `status-task-${key.connector}-${key.task}`;
    case 'topic':
      return `status-topic-${key.topic}:connector-${key.connector}`;
  }
}

/** Undefined for a key that Connect does not write. Names may hold dashes: a task's number follows the last one. */
export function parseStatusKey(text: string): StatusKey | undefined {
  const connector = /^status-connector-(.+)$/s.exec(text)?.[1];
  if (connector !== undefined) return { kind: 'connector', connector };
  const task = /^status-task-(.+)-(\d+)$/s.exec(text);
  if (task !== null) return { kind: 'task', connector: task[1] as string, task: Number(task[2]) };
  const topic = /^status-topic-([^:]+):connector-(.+)$/s.exec(text);
  if (topic !== null) return { kind: 'topic', topic: topic[1] as string, connector: topic[2] as string };
  return undefined;
}

export function encodeStatus({ state, trace, workerId, generation, version, report }: RunStatus): string {
  return stringifyExact({ state, trace, worker_id: workerId, generation, version, millrace_report: report });
}

export function encodeTopicStatus(topic: string, connector: string, task: number, discoverTimestamp: number): string {
  return stringifyExact({ topic: { name: topic, connector, task, discoverTimestamp } });
}

/** Null for DESTROYED, which is a tombstone in another form; undefined for what is no status. */
export function parseStatus(value: Buffer): RunStatus | null | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = parseExact(value.toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { state, trace, worker_id: workerId, generation, version } = fields;
  const report = reportOf(fields['millrace_report']);
  if (state === 'DESTROYED') return null;
  if (typeof state !== 'string' || !states.includes(state) || typeof generation !== 'bigint') return undefined;
  return {
    state: state as RunState,
    trace: typeof trace === 'string' ? trace : null,
    workerId: typeof workerId === 'string' ? workerId : '',
    generation: Number(generation),
    version: typeof version === 'string' ? version : null,
    ...(report !== undefined && { report }),
  };
}

/** What is no report is passed over: the status says enough without it. */
function reportOf(field: unknown): TaskReport | undefined {
  if (typeof field !== 'object' || field === null) return undefined;
  const report: Record<string, Record<string, string | number | boolean>> = {};
  for (const [subject, facts] of Object.entries(field)) {
    const known = (report[subject] = {} as Record<string, string | number | boolean>);
    for (const [name, value] of Object.entries((facts ?? {}) as Record<string, unknown>)) {
      if (typeof value === 'bigint') known[name] = Number(value);
      else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') known[name] = value;
    }
  }
  return report;
}
