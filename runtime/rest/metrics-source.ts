/** Where `/metrics` gets its figures from. */
import type { Herder, StateInfo } from '../ports/herder.ts';
import type { Membership, MembershipFigures } from '../ports/membership.ts';
import type { TaskId, TaskMetrics } from '../ports/tasks.ts';
import { connectorSummary } from './connector-summary.ts';
import type { SummaryState } from './connector-summary.ts';

export interface ConnectorMetrics {
  readonly connector: string;
  /** Known of every connector of the cluster; all the rest only of what this worker runs, as in Connect. */
  readonly summary: SummaryState;
  /** Connect's text attributes: status, connector-type, connector-class, connector-version; undefined where another worker runs it. */
  readonly texts: Readonly<Record<string, string>> | undefined;
  /** Of `connect-worker-metrics`: connector-total-task-count and so on. */
  readonly attributes: Readonly<Record<string, number>>;
  /** State of each task, by number. */
  readonly taskStates: Readonly<Record<number, string>>;
}

export interface MetricsSource {
  tasks(): readonly TaskMetrics[];
  /** Of `connect-worker-metrics`, by Connect's attribute name. */
  worker(): Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>;
  connectors(): readonly ConnectorMetrics[] | Promise<readonly ConnectorMetrics[]>;
  /** How often failed tasks were started again by themselves, on this worker. */
  restarts?(): readonly { readonly id: TaskId; readonly total: number }[];
  /** Of `connect-worker-rebalance-metrics` and `connect-coordinator-metrics`, by Connect's attribute name. */
  membership?(): MembershipFigures;
}

/**
 * What the herder and the task host know. `worker` adds attributes that they don't, such as
 * `connector-startup-attempts-total`. With a `membership`, this worker is one of several: connectors and tasks that
 * others run are theirs to report.
 */
export function herderMetrics(
  herder: Herder,
  tasks: () => readonly TaskMetrics[],
  worker: () => Readonly<Record<string, number>> = () => ({}),
  membership?: Pick<Membership, 'workerId' | 'figures'>,
): MetricsSource {
  const connectors = async (): Promise<readonly ConnectorMetrics[]> => {
    const names = await herder.connectors();
    return (await Promise.all(names.map((name) => connectorMetrics(herder, name, membership?.workerId)))).flat();
  };
  return {
    tasks,
    connectors,
    async worker() {
      const assigned = membership?.figures()['assigned-connectors'];
      const count = typeof assigned === 'number' ? assigned : (await herder.connectors()).length;
      return { 'connector-count': count, 'task-count': tasks().length, ...worker() };
    },
    ...(membership && { membership: () => membership.figures() }),
  };
}

const countedStates = ['running', 'paused', 'failed', 'unassigned', 'destroyed', 'restarting'];

/** Nothing for a connector that goes away meanwhile, or has no status yet. */
async function connectorMetrics(herder: Herder, name: string, workerId: string | undefined): Promise<ConnectorMetrics[]> {
  const found = await Promise.all([herder.status(name), herder.connectorConfig(name)]).catch(() => undefined);
  if (found === undefined) return [];
  const [status, config] = found;
  const here = (of: StateInfo): boolean => workerId === undefined || of.worker_id === workerId;
  const tasks = status.tasks.filter(here);
  const states = tasks.map((task) => task.state.toLowerCase());
  const counts = countedStates.map((state) => [`connector-${state}-task-count`, states.filter((each) => each === state).length] as const);
  const texts = {
    status: status.connector.state.toLowerCase(),
    'connector-type': status.type,
    'connector-class': config['connector.class'] ?? '',
    'connector-version': status.connector.version ?? '',
  };
  return [
    {
      connector: name,
      summary: connectorSummary(status).state,
      texts: here(status.connector) ? texts : undefined,
      attributes:
        tasks.length > 0 || here(status.connector) ? { 'connector-total-task-count': states.length, ...Object.fromEntries(counts) } : {},
      taskStates: Object.fromEntries(tasks.map((task) => [task.id, task.state.toLowerCase()])),
    },
  ];
}
