/** Workers of a cluster, ours and the JVM's, started and asked in the same way. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startConnect } from '../test/services/connect.ts';
import { startMillrace } from '../test/services/millrace.ts';

export interface ClusterWorker extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process until REST listed its connectors. */
  readonly readyAfterMs: number;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export interface Subject {
  readonly name: string;
  start(group: string): Promise<ClusterWorker>;
}

interface Status {
  readonly connector: { readonly state: string; readonly worker_id: string };
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly worker_id: string; readonly trace?: string }[];
}

/** The same for both: a worker of Connect's is as quick to see a lost one, and waits as long for its return. */
const properties = { 'scheduled.rebalance.max.delay.ms': '3000', 'session.timeout.ms': '10000', 'heartbeat.interval.ms': '3000' };

export function subjects(brokers: readonly string[]): readonly [Subject, Subject] {
  return [
    { name: 'Millrace', start: (group) => startMillrace({ brokers, group, properties }) },
    { name: 'Kafka Connect', start: (group) => startConnect({ brokers, group, properties }) },
  ];
}

export async function putConnector(url: string, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask(`${url}/connectors/${name}/config`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(config),
    });
    if (answer.ok) return;
    const text = await answer.text();
    if (answer.status !== 409 || attempt > 60) throw new Error(`${url} refused ${name}: ${answer.status} ${text}`);
    await sleep(500);
  }
}

/** A connection that the server has just closed is no answer: asks again. */
export async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    await sleep(100);
    return fetch(url, init);
  }
}

/** Where each task runs, as REST has it: `connector-0` → host:port; those that do not run are left out. */
export async function runningTasks(url: string): Promise<Map<string, string>> {
  const answer = await ask(`${url}/connectors?expand=status`);
  const body = answer.ok ? ((await answer.json()) as Record<string, { readonly status?: Status }>) : {};
  const found = new Map<string, string>();
  for (const [name, { status }] of Object.entries(body)) {
    for (const task of status?.tasks ?? []) {
      if (task.state === 'FAILED') throw new Error(`task ${name}-${task.id} failed: ${task.trace}`);
      if (task.state === 'RUNNING') found.set(`${name}-${task.id}`, task.worker_id);
    }
  }
  return found;
}

/** Resolves with the milliseconds until `holds` does. */
export async function timeUntil(what: string, holds: () => Promise<boolean>, withinMs = 180_000): Promise<number> {
  const begin = performance.now();
  while (!(await holds())) {
    if (performance.now() - begin > withinMs) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(50);
  }
  return performance.now() - begin;
}

export const workerId = ({ url }: ClusterWorker): string => new URL(url).host;
