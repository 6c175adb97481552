/**
 * How long the leader needs to share work out, how much moves, and how large what workers tell each other becomes:
 * `node bench/assignment.ts`, or with sizes: `node bench/assignment.ts 100x200x2000` (workers, connectors, tasks).
 * The leader's rule and the bytes are the real ones; workers, clock and coordinator are simulated, in one process.
 */
import { cpus } from 'node:os';
import { decodeWorkerState, encodeShared, encodeWorkerState, protocolsFor } from '../runtime/herder/assignment/group-protocol.ts';
import type { SharedAssignment } from '../runtime/herder/assignment/group-protocol.ts';
import { shareEagerly } from '../runtime/herder/assignment/eager-assignor.ts';
import { createIncrementalAssignor } from '../runtime/herder/assignment/incremental-assignor.ts';
import { noWork } from '../runtime/herder/assignment/work.ts';
import { checkRest, createSimulatedGroup, keysOf, threadCpuMs, workOfSizes } from '../runtime/herder/test/simulated-group.ts';
import type { Decision, SimulatedGroup } from '../runtime/herder/test/simulated-group.ts';
import type { Work } from '../runtime/ports/membership.ts';

interface Size {
  readonly workers: number;
  readonly connectors: number;
  readonly tasks: number;
}

const sizes = (process.argv.length > 2 ? process.argv.slice(2) : ['3x10x30', '10x50x500', '100x200x2000', '200x1000x10000']).map(parse);
const maxDelayMs = 300_000;
/** `message.max.bytes` of Kafka: what the coordinator's record of a group, all members in it, must fit into. */
const recordBytes = 1_048_588;
const nameLength = 30;

console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model.trim()}\n`);
console.log(
  '| workers, connectors, tasks | event | rounds | CPU of the leader, all rounds | longest round | starts | taken from a running worker |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const size of sizes) events(size);

console.log(
  '\n| workers, connectors, tasks | JoinGroup request | decode all, share, encode all | record of the group | of 1,048,588 bytes |',
);
console.log('| --- | --- | --- | --- | --- |');
for (const size of sizes) bytes(size);

console.log(`\nMost tasks whose record fits, 100 workers, ten tasks for each connector:`);
for (const length of [15, 30, 60]) console.log(`- names of ${length} bytes: ${number(mostTasks(length))}`);

function events(size: Size): void {
  const decisions: Decision[] = [];
  const group = createSimulatedGroup({ maxDelayMs, onRound: (decision) => decisions.push(decision) });
  for (let count = 0; count < size.workers; count++) group.join();
  group.configure(configured(size));

  const row = (event: string, happen: () => void): void => {
    decisions.length = 0;
    const moves = group.moves();
    happen();
    group.settle();
    checkRest(group);
    const took = decisions.map(({ cpuMs }) => cpuMs);
    const starts = decisions.flatMap(({ shares }) => [...shares.told.values()]).flatMap(({ assigned }) => keysOf(assigned)).length;
    const cells = [
      named(size),
      event,
      String(took.length),
      milliseconds(took.reduce((sum, each) => sum + each, 0)),
      milliseconds(Math.max(...took)),
      number(starts),
      number(group.moves() - moves),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  };
  row('all start at once', () => {});
  row('nothing (somebody joins anew)', () => group.round());
  row('one joins', () => void group.join());
  row('one stops gracefully', () => group.leave(lastOf(group)));
  row('one crashes for good', () => group.crash(lastOf(group)));
  row('one crashes and is back within the delay', () => {
    group.crash(lastOf(group));
    group.round();
    group.join();
  });
  row('a connector of 10 tasks is added', () => {
    const { connectors, tasks } = workOfSizes([10], () => 'added');
    group.configure({ connectors: [...group.configured.connectors, ...connectors], tasks: [...group.configured.tasks, ...tasks] });
  });
  // Hundreds of rounds, each checked: minutes.
  if (size.tasks > 5_000) return;
  row('rolling restart, each stops gracefully', () => rollingRestart(group, (id) => group.leave(id)));
  row('rolling restart, each is killed', () => rollingRestart(group, (id) => group.crash(id)));
}

/** Every worker in turn, the leader last: it goes, the others share out, a new one comes in its place, and they share out again. */
function rollingRestart(group: SimulatedGroup, stop: (id: string) => void): void {
  for (const id of [...group.members.keys()].toReversed()) {
    stop(id);
    group.round();
    group.join();
    group.settle();
  }
}

/** What goes over the wire when a settled group shares out once more, what that costs the leader, and what the coordinator writes down. */
function bytes(size: Size): void {
  const states = settledStates(size, nameLength);
  const metadata = [...states].map(([id, state]) => [id, encodeWorkerState(2, state)] as const);
  const wanted = configured(size, nameLength);
  const assignor = createIncrementalAssignor({ maxDelayMs, now: () => performance.now(), log: () => {} });
  const round = (generation: number): number => {
    const begin = threadCpuMs();
    const members = new Map(metadata.map(([id, encoded]) => [id, decodeWorkerState(encoded).work ?? noWork]));
    const { told } = assignor.share({
      generation,
      lastCompletedGeneration: generation - 1,
      members,
      configured: wanted,
      released: () => false,
    });
    for (const [id, { assigned, revoked }] of told) {
      const lists = { ...assigned, revokedConnectors: revoked.connectors, revokedTasks: revoked.tasks };
      encodeShared(2, { ...states.get(id)!.work, ...lists });
    }
    return threadCpuMs() - begin;
  };
  const took = [1, 2, 3, 4, 5].map(round).toSorted((a, b) => a - b)[2]!;
  const joins = [...states.values()].map((state) => {
    return protocolsFor('sessioned').reduce((sum, { version }) => sum + encodeWorkerState(version, state).length, 0);
  });
  const record = recordSize(states);
  const cells = [
    named(size),
    `${number(Math.max(...joins))} bytes`,
    milliseconds(took),
    `${number(record)} bytes`,
    `${((record / recordBytes) * 100).toFixed(1)} %`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

interface State {
  readonly url: string;
  readonly configOffset: number;
  readonly work: SharedAssignment;
}

/** By member id; with names and addresses as long as they are in life. */
function settledStates(size: Size, length: number): ReadonlyMap<string, State> {
  const ids = Array.from({ length: size.workers }, (_, index) => `connect-${addressOf(index)}-${crypto.randomUUID()}`);
  const leaderUrl = `http://${addressOf(0)}/`;
  const told = { version: 2, error: 0, leader: ids[0]!, leaderUrl, configOffset: 123_456, delayMs: 0 } as const;
  // Dealt in turn, as the incremental rule deals to workers that are all idle.
  const shares = shareEagerly(ids, configured(size, length));
  const stateOf = (id: string, index: number): State => ({
    url: `http://${addressOf(index)}/`,
    configOffset: 123_456,
    work: { ...told, ...shares.get(id)!, revokedConnectors: [], revokedTasks: [] },
  });
  return new Map(ids.map((id, index) => [id, stateOf(id, index)]));
}

function addressOf(index: number): string {
  return `10.100.${100 + (index >> 6)}.${100 + (index & 63)}:8083`;
}

/**
 * The value of the group's record in __consumer_offsets (GroupMetadataValue, version 3): for each member its ids,
 * timeouts, what it joined with and what it was told, which at its largest is all that it runs.
 */
function recordSize(states: ReadonlyMap<string, State>): number {
  const perGroup = 120;
  const perMember = 2 + 2 + 2 + 2 + 8 + 4 + 4;
  let size = perGroup;
  for (const [id, state] of states) {
    const address = state.url.slice('http://'.length, -1);
    const texts = id.length + `connect-${address}`.length + `/${address}`.length;
    size += perMember + texts + encodeWorkerState(2, state).length + encodeShared(2, state.work).length;
  }
  return size;
}

function mostTasks(length: number): number {
  let [fits, tooMany] = [0, 200_000];
  while (tooMany - fits > 100) {
    const tasks = Math.round((fits + tooMany) / 2);
    const states = settledStates({ workers: 100, connectors: Math.ceil(tasks / 10), tasks }, length);
    if (recordSize(states) <= recordBytes) fits = tasks;
    else tooMany = tasks;
  }
  return Math.floor(fits / 100) * 100;
}

/** Tasks spread evenly over connectors whose names have that length. */
function configured({ connectors, tasks }: Pick<Size, 'connectors' | 'tasks'>, length = 8): Work {
  const each = Math.floor(tasks / connectors);
  const counts = Array.from({ length: connectors }, (_, index) => each + (index < tasks % connectors ? 1 : 0));
  return workOfSizes(counts, (index) => `c${index}`.padEnd(length, '_'));
}

function lastOf(group: SimulatedGroup): string {
  return [...group.members.keys()].at(-1)!;
}

function parse(text: string): Size {
  const [workers = 0, connectors = 0, tasks = 0] = text.split('x').map(Number);
  if (!(workers > 0 && connectors > 0 && tasks > 0)) throw new Error(`${text}: write WORKERSxCONNECTORSxTASKS, such as 100x200x2000`);
  return { workers, connectors, tasks };
}

function named({ workers, connectors, tasks }: Size): string {
  return [workers, connectors, tasks].map(number).join(', ');
}

function number(value: number): string {
  return value.toLocaleString('en');
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}
