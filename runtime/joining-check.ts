/** Before a worker joins others: can it run what they may hand it? */
import { ConfigError } from './api/index.ts';
import type { Logger, RawConfig } from './api/index.ts';
import { decodeWorkerState } from './herder/assignment/group-protocol.ts';
import { workerGroupMembers } from './kafka/worker-group-members.ts';
import type { WorkerGroupMember } from './kafka/worker-group-members.ts';
import { describeMissing, missingClasses, missingConverters, providerNames } from './plugins/missing-classes.ts';
import type { MissingClasses } from './plugins/missing-classes.ts';
import { discoverPlugins } from './plugins/plugin-index.ts';
import { createConfigProviders } from './settings/config-providers.ts';
import type { GroupSettings, WorkerSettings } from './settings/worker-settings.ts';
import type { WorkerPlace } from './worker-process.ts';

export const joinDespiteKey = 'millrace.join.despite.missing.classes';

/**
 * Compares what all connectors of the config topic name with what this worker has. Among other workers it throws a
 * ConfigError with the list, since their leader knows nothing of it and hands out everything to everybody; alone,
 * or where the person said so, it warns.
 */
export async function checkBeforeJoining(
  settings: WorkerSettings,
  group: GroupSettings,
  place: Pick<WorkerPlace, 'workerId' | 'url' | 'stores'>,
  logger: Pick<Logger, 'warn'>,
): Promise<void> {
  const found = await allMissing(settings, place);
  if (found.length === 0) return;
  const others = await othersIn(settings, group.id, place);
  if (others.length > 0 && !group.joinDespiteMissingClasses) throw refusal(found, others, group.id);
  for (const each of found) {
    logger.warn(
      `connector ${each.connector}: this worker lacks ${each.missing.join(', ')}. Without a class it is FAILED wherever it is given to this worker; without a provider it gets the placeholder as it is written. ${installThem}`,
    );
  }
}

async function allMissing(settings: WorkerSettings, { stores }: Pick<WorkerPlace, 'stores'>): Promise<MissingClasses[]> {
  const { configStore } = stores;
  const index = await discoverPlugins(settings.pluginPath);
  const providers = createConfigProviders(settings.raw);
  const connectors = await Promise.all(
    configStore.connectors().map(async (name) => {
      const written: RawConfig = configStore.get(name)?.properties ?? {};
      // One that cannot be resolved here fails its connector, and says why.
      const resolved = await providers.resolve(written).then(
        ({ config }) => config,
        () => written,
      );
      return { name, written, resolved };
    }),
  );
  const own = missingConverters(settings.converters, index);
  const ofWorker = own.length === 0 ? [] : [{ connector: `every one without its own converters (${settings.file})`, missing: own }];
  return [...ofWorker, ...missingClasses(connectors, index, providerNames(settings.raw))];
}

const installThem =
  'Install them (plugin.path; config.providers for `${…}`), or delete those connectors, or leave them to a group of their own.';

function refusal(found: readonly MissingClasses[], others: readonly string[], groupId: string): ConfigError {
  return new ConfigError(
    `group "${groupId}": this worker does not join it. Others are in it (${others.join(', ')}), and could hand it what it cannot run, for it lacks: ` +
      `${describeMissing(found)}.`,
    {
      hint: `${installThem} With ${joinDespiteKey}=true it joins all the same; without a class a task is FAILED wherever it is given to it, without a provider it gets the placeholder as it is written.`,
    },
  );
}

/** As a person knows them: by URL, or by client id and host while the group is rebalancing. */
async function othersIn(settings: WorkerSettings, groupId: string, own: Pick<WorkerPlace, 'workerId' | 'url'>): Promise<string[]> {
  const { log } = settings;
  const members = log.kind === 'kafka' ? await workerGroupMembers(log.settings, groupId) : [];
  // At this worker's own address nobody else can live: that is an earlier life of it that the group has not missed yet.
  return members.filter((member) => !isAt(own, member)).map((member) => urlOf(member) ?? clientOf(member));
}

/** The default client id tells the address too; one that was set may be the same on all workers. */
function isAt({ workerId, url }: Pick<WorkerPlace, 'workerId' | 'url'>, member: WorkerGroupMember): boolean {
  const known = urlOf(member);
  return known === undefined ? member.clientId === `connect-${workerId}` : known === url;
}

function urlOf({ metadata }: WorkerGroupMember): string | undefined {
  if (metadata.length === 0) return undefined;
  try {
    return decodeWorkerState(metadata).url;
  } catch {
    // Not one of Connect's; joining tells what is wrong.
    return undefined;
  }
}

const clientOf = ({ clientId, clientHost }: WorkerGroupMember): string => `${clientId} at ${clientHost.replace(/^\//, '')}`;
