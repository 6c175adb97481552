/**
 * What workers tell each other through the group, as bytes. A member joins with its state (JoinGroup metadata),
 * and is told its share (SyncGroup assignment). Sources: org.apache.kafka.connect.runtime.distributed.ConnectProtocol,
 * IncrementalCooperativeConnectProtocol, ExtendedAssignment; KIP-415 (version 1), KIP-507 (version 2).
 */
import { ConnectError } from '../../api/index.ts';
import type { Work } from '../../ports/membership.ts';
import type { TaskId } from '../../ports/tasks.ts';
import { wireReader, wireWriter } from './wire.ts';
import type { WireReader, WireWriter } from './wire.ts';

/** 0: eager. 1: incremental cooperative. 2: the same, and calls between workers are signed with a session key. */
export type ProtocolVersion = 0 | 1 | 2;

/** `connect.protocol`. */
export type ProtocolMode = 'eager' | 'compatible' | 'sessioned';

/** What a member joins with. */
export interface WorkerState {
  /** Of this worker's REST, with a slash at the end. */
  readonly url: string;
  /** What its config store has read; -1 for nothing. */
  readonly configOffset: number;
  /**
   * Versions 1 and 2: what the member was told last, with `connectors` and `tasks` being all that it runs now
   * ({@link SharedAssignment} says how Connect keeps it). Null when it was told nothing since it started or was
   * thrown out; always null in version 0.
   */
  readonly work: SharedAssignment | null;
}

/**
 * What a member is told. In versions 1 and 2 `connectors` and `tasks` are those to start in addition to what runs,
 * and the member keeps in memory, and joins with next time, the same assignment with all that runs in their place:
 * (what it had, less what is revoked) and what is new; the other fields as they came.
 */
export interface SharedAssignment {
  /** Of the bytes; `encodeShared` goes by its argument. Later versions are read as version 2. */
  readonly version: number;
  /** 1: the leader could not catch up with the config topic. Read it to the end and join again. */
  readonly error: 0 | 1;
  /** Member id of the leader. */
  readonly leader: string;
  readonly leaderUrl: string;
  /** What the leader shared out goes by this much of the config topic. */
  readonly configOffset: number;
  readonly connectors: readonly string[];
  readonly tasks: readonly TaskId[];
  readonly revokedConnectors: readonly string[];
  readonly revokedTasks: readonly TaskId[];
  /** Join again after this time; 0: no need. */
  readonly delayMs: number;
}

/** How version 0 and its successors are named to the group's coordinator. */
const protocolNames = ['default', 'compatible', 'sessioned'] as const;

export type ProtocolName = (typeof protocolNames)[number];

export const protocolNameOf = (version: ProtocolVersion): ProtocolName => protocolNames[version];

/** Throws a ConnectError for a name that is none of Connect's. */
export function protocolVersionOf(name: string): ProtocolVersion {
  const version = (protocolNames as readonly string[]).indexOf(name);
  if (version === -1) throw new ConnectError(`Group protocol: "${name}" was elected, which is none of ${protocolNames.join(', ')}.`);
  return version as ProtocolVersion;
}

/** What a worker offers when it joins, the one it likes best first. */
export function protocolsFor(mode: ProtocolMode): readonly { readonly name: ProtocolName; readonly version: ProtocolVersion }[] {
  const best: ProtocolVersion = mode === 'sessioned' ? 2 : mode === 'compatible' ? 1 : 0;
  return ([2, 1, 0] as const).filter((version) => version <= best).map((version) => ({ name: protocolNames[version], version }));
}

/** The assignment inside is written in the same version, whatever it was read from, as Connect does. */
export function encodeWorkerState(version: ProtocolVersion, state: WorkerState): Buffer {
  const writer = wireWriter();
  writer.int16(version);
  writer.string(state.url, 'url');
  writer.int64(state.configOffset, 'configOffset');
  if (version > 0) writer.nullableBytes(state.work === null ? null : encodeShared(version, state.work));
  return writer.end();
}

/** Throws a ConnectError that names the field and what was found in it. */
export function decodeWorkerState(bytes: Buffer): WorkerState {
  const reader = wireReader(bytes, 'the state of a worker');
  readVersion(reader);
  const url = reader.string('url');
  const configOffset = reader.int64('configOffset');
  const work = reader.atEnd() ? null : reader.nullableBytes('work');
  return { url, configOffset, work: work === null ? null : decodeShared(work) };
}

export function encodeShared(version: ProtocolVersion, assignment: Omit<SharedAssignment, 'version'>): Buffer {
  const { connectors, tasks, revokedConnectors, revokedTasks } = assignment;
  const writer = wireWriter();
  writer.int16(version);
  writer.int16(assignment.error);
  writer.string(assignment.leader, 'leader');
  writer.string(assignment.leaderUrl, 'leaderUrl');
  writer.int64(assignment.configOffset, 'configOffset');
  writeWork(writer, { connectors, tasks });
  if (version > 0) {
    writeWork(writer, { connectors: revokedConnectors, tasks: revokedTasks });
    writer.int32(assignment.delayMs);
  }
  return writer.end();
}

/** Fields that are not there have Connect's defaults: nothing assigned, nothing revoked, no delay. Throws as {@link decodeWorkerState}. */
export function decodeShared(bytes: Buffer): SharedAssignment {
  const reader = wireReader(bytes, 'an assignment');
  const version = readVersion(reader);
  const error = reader.int16('error') === 0 ? 0 : 1;
  const leader = reader.string('leader');
  const leaderUrl = reader.string('leaderUrl');
  const configOffset = reader.int64('configOffset');
  const { connectors, tasks } = readWork(reader, 'assigned');
  const revoked = readWork(reader, 'revoked');
  const delayMs = reader.atEnd() ? 0 : reader.int32('delay');
  return {
    ...{ version, error, leader, leaderUrl, configOffset, connectors, tasks },
    ...{ revokedConnectors: revoked.connectors, revokedTasks: revoked.tasks, delayMs },
  };
}

function readVersion(reader: WireReader): number {
  const version = reader.int16('version');
  return version < 0 ? reader.fail('version', `${version}, which no version of Connect writes`) : version;
}

/** Stands among the task numbers for the connector itself. */
const connectorItself = -1;

/** By connector, the connectors to run themselves first, each before its tasks. */
function writeWork(writer: WireWriter, { connectors, tasks }: Work): void {
  const byConnector = new Map<string, number[]>();
  for (const name of new Set(connectors)) byConnector.set(name, [connectorItself]);
  for (const { connector, task } of tasks) {
    const numbers = byConnector.get(connector);
    if (numbers === undefined) byConnector.set(connector, [task]);
    else numbers.push(task);
  }
  writer.int32(byConnector.size);
  for (const [name, numbers] of byConnector) {
    writer.string(name, 'connector');
    writer.int32(numbers.length);
    for (const number of numbers) writer.int32(number);
  }
}

function readWork(reader: WireReader, field: string): Work {
  const connectors: string[] = [];
  const tasks: TaskId[] = [];
  const count = reader.atEnd() ? 0 : reader.count(field);
  for (let index = 0; index < count; index++) {
    const connector = reader.string(`${field} connector`);
    const taskCount = reader.count(`${field} tasks of ${connector}`);
    if (taskCount === -1) reader.fail(`${field} tasks of ${connector}`, 'null');
    for (let at = 0; at < taskCount; at++) {
      const task = reader.int32(`${field} task of ${connector}`);
      if (task < connectorItself) reader.fail(`${field} task of ${connector}`, `the number ${task}`);
      if (task === connectorItself) connectors.push(connector);
      else tasks.push({ connector, task });
    }
  }
  return { connectors, tasks };
}
