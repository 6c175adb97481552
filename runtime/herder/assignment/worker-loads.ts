/** Who runs how much, and who should. Sources: IncrementalCooperativeAssignor (loadBalancingRevocations, assignConnectors, assignTasks). */
import type { Work } from '../../ports/membership.ts';
import type { TaskId } from '../../ports/tasks.ts';
import { compareTasks, compareText, taskKey } from './work.ts';

/** A connector, by name, or a task. */
export type Item = string | TaskId;

/** Items by a key of theirs; in the order in which they came. */
export type Items = ReadonlyMap<string, Item>;

/** Connectors and tasks are balanced each for itself. */
export const kinds = ['connectors', 'tasks'] as const;
export type Kind = (typeof kinds)[number];

export interface WorkerLoad {
  readonly id: string;
  readonly connectors: Map<string, Item>;
  readonly tasks: Map<string, Item>;
}

export const kindOf = (item: Item): Kind => (typeof item === 'string' ? 'connectors' : 'tasks');
const keyOf = (item: Item): string => (typeof item === 'string' ? `c ${item}` : `t ${taskKey(item)}`);
const entryOf = (item: Item): [string, Item] => [keyOf(item), item];

export const itemsOf = (work: Work): Items => new Map([...work.connectors, ...work.tasks].map(entryOf));

export const workOf = (items: Items): Work => ({
  connectors: [...items.values()].filter((item) => typeof item === 'string'),
  tasks: [...items.values()].filter((item) => typeof item !== 'string'),
});

export const itemsOfLoad = ({ connectors, tasks }: WorkerLoad): Items => new Map([...connectors, ...tasks]);

export const loadOf = (id: string, { connectors, tasks }: Work): WorkerLoad => ({
  id,
  connectors: new Map(connectors.map(entryOf)),
  tasks: new Map(tasks.map(entryOf)),
});

export function together(...sets: readonly Items[]): Items {
  const all = new Map(sets[0]);
  for (const set of sets.slice(1)) for (const [key, item] of set) all.set(key, item);
  return all;
}

export const without = (set: Items, ...less: readonly Items[]): Items =>
  new Map([...set].filter(([key]) => !less.some((other) => other.has(key))));

export const both = (set: Items, other: Items): Items => new Map([...set].filter(([key]) => other.has(key)));

/** Connectors by name, then tasks by connector and number. */
export const sorted = (set: Items): Items => {
  const { connectors, tasks } = workOf(set);
  return itemsOf({ connectors: connectors.toSorted(compareText), tasks: tasks.toSorted(compareTasks) });
};

/** What each worker must give up so that none runs more than its fair share, by worker; workers that keep all are left out. */
export function surplus(loads: readonly WorkerLoad[], configured: Items): ReadonlyMap<string, Items> {
  const taken = new Map<string, Items>();
  for (const kind of kinds) {
    const { floor, extras } = fairShare(loads.length, configured, kind);
    let extrasLeft = extras;
    for (const load of loads) {
      const size = load[kind].size;
      if (size <= floor) continue;
      const fair = extrasLeft > 0 ? floor + 1 : floor;
      extrasLeft--;
      if (size === fair) continue;
      const most = new Map([...load[kind]].slice(0, size - fair));
      taken.set(load.id, together(taken.get(load.id) ?? new Map(), most));
    }
  }
  return taken;
}

/** All workers run `floor` of them, and `extras` workers run one more. */
function fairShare(workers: number, configured: Items, kind: Kind): { readonly floor: number; readonly extras: number } {
  let total = 0;
  for (const item of configured.values()) if (kindOf(item) === kind) total++;
  return { floor: Math.floor(total / workers), extras: total % workers };
}

/** Gives the items one by one to whoever has the least of their kind; among equals, in the order of the ids. */
export function dealOut(loads: readonly WorkerLoad[], items: Items): void {
  for (const kind of kinds) {
    const order = loads.toSorted((a, b) => a[kind].size - b[kind].size || compareText(a.id, b.id));
    let at = 0;
    for (const [key, item] of items) {
      if (kindOf(item) !== kind) continue;
      if (at === order.length || order[at]![kind].size >= order[0]![kind].size) at = 0;
      order[at++]![kind].set(key, item);
    }
  }
}

/**
 * Gives the items in turn to the chosen ones among the workers, to none beyond its fair share of what is
 * configured, and gives back what found no place.
 */
export function dealTo(chosen: readonly WorkerLoad[], loads: readonly WorkerLoad[], items: Items, configured: Items): Items {
  const left = new Map<string, Item>();
  for (const kind of kinds) {
    const { floor, extras } = fairShare(loads.length, configured, kind);
    let extrasLeft = extras - loads.filter((load) => load[kind].size > floor).length;
    let next = 0;
    for (const [key, item] of items) {
      if (kindOf(item) !== kind) continue;
      const place = chosen
        .map((_, index) => chosen[(next + index) % chosen.length]!)
        .find((load) => load[kind].size < floor || (load[kind].size === floor && extrasLeft > 0));
      if (place === undefined) left.set(key, item);
      else {
        if (place[kind].size === floor) extrasLeft--;
        place[kind].set(key, item);
        next = chosen.indexOf(place) + 1;
      }
    }
  }
  return left;
}
