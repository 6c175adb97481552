/** Makes a running cluster equal to a folder: read, compare, validate, write, wait. */
import { createConnectApi } from './connect-api.ts';
import { createConnectClient } from './connect-client.ts';
import { awaitStanding } from './await-standing.ts';
import type { Awaited } from './await-standing.ts';
import { readConnectorFolder } from './connector-folder.ts';
import type { FileProblem } from './connector-folder.ts';
import { secretsOf, withoutSecrets } from './masking.ts';
import { ownerOf } from './owner.ts';
import { makePlan } from './plan.ts';
import type { Plan } from './plan.ts';
import { plannedReports, withOutcome, withWriting } from './report.ts';
import type { ApplyReport, ConnectorReport } from './report.ts';
import { validateChanges } from './validate-changes.ts';
import { writeChanges } from './write-changes.ts';

export interface ApplyOptions {
  readonly folder: string;
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  readonly owner?: string;
  readonly dryRun: boolean;
  readonly prune: boolean;
  readonly adopt: boolean;
  readonly allowEmpty: boolean;
  /** Wait until everything runs. */
  readonly wait: boolean;
  /** For all of it, in milliseconds. */
  readonly timeoutMs: number;
}

export interface ApplyWatcher {
  /** Before anything is changed; also when problems keep it from being changed. */
  onPlan(report: ApplyReport): void;
  /** After a connector was written, and again when it was seen running, or not. */
  onProgress(connector: ConnectorReport): void;
  /** What is in the way of a request that is repeated. */
  onTrouble(what: string): void;
}

/**
 * The report of what was done; with problems in it, nothing was changed. Throws a ConfigError for a folder or an
 * option that is wrong, and a ConnectError when the server cannot be asked at all.
 */
export async function applyFolder(options: ApplyOptions, watcher: ApplyWatcher): Promise<ApplyReport> {
  const { folder, dryRun, wait, timeoutMs } = options;
  const owner = await ownerOf(folder, options.owner);
  const deadline = AbortSignal.timeout(timeoutMs);
  const client = createConnectClient({ ...options, deadline, onTrouble: watcher.onTrouble });
  const nothing: ApplyReport = { url: client.url, owner: owner.name, dryRun, problems: [], connectors: [], leftOver: [], unowned: [] };

  const read = await readConnectorFolder(folder);
  if (read.problems.length > 0) return { ...nothing, problems: read.problems };
  if (read.connectors.length === 0 && !options.allowEmpty) return { ...nothing, problems: [emptyFolder] };

  const api = createConnectApi(client);
  const cluster = new Map([...(await api.infos())].map(([name, { config }]) => [name, config]));
  const plan = makePlan(read.connectors, cluster, { ...options, owner });
  const planned: ApplyReport = {
    ...nothing,
    connectors: plannedReports(plan),
    leftOver: plan.leftOver,
    unowned: plan.unowned,
    problems: plan.problems,
  };
  if (plan.problems.length > 0) return shown(planned);

  const secrets = secretsOf([...read.connectors.map(({ config }) => config), ...cluster.values()]);
  const { problems, resolved } = await validateChanges(plan.changes, api, secrets);
  shown({ ...planned, problems });
  if (problems.length > 0 || dryRun) return { ...planned, problems };

  const clean = (text: string): string => withoutSecrets(text, [...secrets, ...resolved]);
  const reports = new Map(planned.connectors.map((report) => [report.name, report]));
  const record = (name: string, change: (report: ConnectorReport) => ConnectorReport): void => {
    const report = change(reports.get(name)!);
    reports.set(name, report);
    if (report.action !== 'none' || report.outcome !== 'done') watcher.onProgress(report);
  };
  await writeChanges(plan.changes, api, deadline, ({ name }, writing) => record(name, (report) => withWriting(report, writing, clean)));
  if (wait) {
    const awaited = awaitedOf(plan, reports, cluster);
    await awaitStanding(awaited, api, deadline, (name, outcome) => record(name, (report) => withOutcome(report, outcome, clean)));
  }
  return { ...planned, connectors: [...reports.values()] };

  function shown(report: ApplyReport): ApplyReport {
    watcher.onPlan(report);
    return report;
  }
}

const emptyFolder: FileProblem = {
  file: '.',
  reason: 'has no connector files (*.json, *.properties). Is it the right folder? If it is meant to be empty, say --allow-empty.',
};

/** What was written, and what was right before. */
function awaitedOf(
  { changes, unchanged }: Plan,
  reports: ReadonlyMap<string, ConnectorReport>,
  cluster: ReadonlyMap<string, Readonly<Record<string, string>>>,
): readonly Awaited[] {
  const written = changes.flatMap((change): Awaited[] => {
    if (change.action === 'delete' || reports.get(change.name)?.outcome !== 'done') return [];
    const { name, config, keys } = change;
    return [change.action === 'create' ? { name, config, keys: [], how: 'created' } : { name, config, keys, how: 'changed' }];
  });
  return [...written, ...unchanged.map(({ name }): Awaited => ({ name, config: cluster.get(name) ?? {}, keys: [], how: 'unchanged' }))];
}
