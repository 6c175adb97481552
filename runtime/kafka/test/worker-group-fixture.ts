/** Members of a worker group that tell each other their names, and remember what happened to them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { GroupTransport } from '../../ports/membership.ts';
import { openWorkerGroup } from '../worker-group.ts';
import type { WorkerGroupOptions } from '../worker-group.ts';

export interface NamedMember extends AsyncDisposable {
  readonly transport: GroupTransport;
  /** In order: `told A,B by A` with the names of all members and the leader's, `lost`, … */
  readonly events: string[];
  readonly warnings: string[];
  /** What the last event but losses says, or undefined before it and after a loss. */
  told(): string | undefined;
  generation(): number;
  memberId(): string;
  /** Awaited by each `shared`. */
  working: () => Promise<void>;
}

export type MemberOptions = Partial<Omit<WorkerGroupOptions, 'clientId' | 'warn'>> & { readonly onEvent?: (event: string) => void };

/** The shortest session that brokers allow by default. */
export const sessionTimeoutMs = 6000;

/** Resolves when it is in the group, or trying to get in. */
export async function joinNamed(
  brokers: readonly string[],
  groupId: string,
  name: string,
  options: MemberOptions = {},
): Promise<NamedMember> {
  const { onEvent = () => {}, ...own } = options;
  const events: string[] = [];
  const warnings: string[] = [];
  let [generation, id] = [-1, ''];
  const note = (event: string): void => {
    events.push(event);
    onEvent(event);
  };
  const transport = await openWorkerGroup({
    settings: { 'bootstrap.servers': brokers.join(',') },
    groupId,
    clientId: name,
    protocolType: 'connect',
    sessionTimeoutMs,
    heartbeatMs: 500,
    rebalanceTimeoutMs: 20_000,
    warn: (message) => void warnings.push(message),
    ...own,
  });
  const member: NamedMember = {
    ...{ transport, events, warnings },
    told: () => (events.at(-1)?.startsWith('told') === true ? events.at(-1) : undefined),
    generation: () => generation,
    memberId: () => id,
    working: async () => {},
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
  await transport.start({
    protocols: async () => [{ name: 'names', metadata: Buffer.from(name) }],
    async share({ members, leaderId }) {
      const names = members.map(({ metadata }) => metadata.toString()).toSorted();
      const leader = members.find(({ memberId }) => memberId === leaderId)?.metadata.toString();
      return new Map(members.map(({ memberId }) => [memberId, Buffer.from(`told ${names.join(',')} by ${leader}`)]));
    },
    async shared({ assignment, generation: now, memberId }) {
      [generation, id] = [now, memberId];
      note(assignment.toString());
      await member.working();
    },
    lost: async () => note('lost'),
  });
  return member;
}

export interface MemberProcess extends AsyncDisposable {
  readonly events: string[];
  signal(signal: NodeJS.Signals): void;
}

/** The same in a process of its own, which can be stopped and killed. */
export async function spawnNamed(brokers: readonly string[], groupId: string, name: string): Promise<MemberProcess> {
  const program = fileURLToPath(new URL('worker-group-program.ts', import.meta.url));
  const child = spawn(process.execPath, [program, brokers.join(','), groupId, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const events: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => events.push(line));
  return {
    events,
    signal: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
