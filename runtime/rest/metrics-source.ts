/** Where `/metrics` gets its figures from. */
import type { Herder } from '../ports/herder.ts';
import type { TaskMetrics } from '../ports/tasks.ts';

export interface ConnectorMetrics {
  readonly connector: string;
  /** Connect's text attributes: status, connector-type, connector-class, connector-version. */
  readonly texts: Readonly<Record<string, string>>;
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
}

/**
 * What the herder and the task host know. `worker` adds attributes that they don't, such as
 * `connector-startup-attempts-total`.
 */
export function herderMetrics(
  herder: Herder,
  tasks: () => readonly TaskMetrics[],
  worker: () => Readonly<Record<string, number>> = () => ({}),
): MetricsSource {
  return {
    tasks,
    worker: async () => ({ 'connector-count': (await herder.connectors()).length, 'task-count': tasks().length, ...worker() }),
    async connectors() {
      const names = await herder.connectors();
      return (await Promise.all(names.map((name) => connectorMetrics(herder, name)))).flat();
    },
  };
}

const countedStates = ['running', 'paused', 'failed', 'unassigned', 'destroyed', 'restarting'];

/** Nothing for a connector that goes away meanwhile, or has no status yet. */
async function connectorMetrics(herder: Herder, name: string): Promise<ConnectorMetrics[]> {
  const found = await Promise.all([herder.status(name), herder.connectorConfig(name)]).catch(() => undefined);
  if (found === undefined) return [];
  const [status, config] = found;
  const states = status.tasks.map((task) => task.state.toLowerCase());
  const counts = countedStates.map((state) => [`connector-${state}-task-count`, states.filter((each) => each === state).length] as const);
  return [
    {
      connector: name,
      texts: {
        status: status.connector.state.toLowerCase(),
        'connector-type': status.type,
        'connector-class': config['connector.class'] ?? '',
        'connector-version': status.connector.version ?? '',
      },
      attributes: { 'connector-total-task-count': states.length, ...Object.fromEntries(counts) },
      taskStates: Object.fromEntries(status.tasks.map((task) => [task.id, task.state.toLowerCase()])),
    },
  ];
}
