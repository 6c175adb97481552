/** One worker of a cluster: a member of a Kafka group, with stores that all of them share. */
import { ConfigError } from './api/index.ts';
import { groupMembership } from './herder/group-membership.ts';
import { checkBeforeJoining } from './joining-check.ts';
import { openWorkerGroup } from './kafka/worker-group.ts';
import { createLogging } from './logging/logging.ts';
import type { Logging } from './logging/logging.ts';
import { createPeers } from './rest/peers.ts';
import type { GroupSettings, WorkerSettings } from './settings/worker-settings.ts';
import { tlsOptions } from './tls/tls-settings.ts';
import { startWorkerProcess } from './worker-process.ts';
import type { WorkerCompany, WorkerPlace, WorkerProcess } from './worker-process.ts';
import { topicStores } from './worker-stores.ts';

/** Throws a ConfigError, with nothing left running, when a setting cannot work. */
export async function startDistributed(
  settings: WorkerSettings,
  logging: Logging = createLogging(settings.logging),
): Promise<WorkerProcess> {
  const { stores, group } = settings;
  if (stores === undefined || group === undefined) throw new ConfigError('a distributed worker needs group.id and its three topics.');
  const worker = await startWorkerProcess(settings, logging, {
    stores: (logThread) => topicStores(stores, settings, logThread, logging),
    company: (place) => companyOf(settings, group, place, logging),
  });
  logging.logger('millrace').info(`worker ready: ${worker.url}, in group ${group.id}`);
  return worker;
}

async function companyOf(settings: WorkerSettings, group: GroupSettings, place: WorkerPlace, logging: Logging): Promise<WorkerCompany> {
  const { log, rest, exactlyOnce, raw } = settings;
  const { workerId, url, stores } = place;
  const logger = logging.logger('millrace.group');
  const transport = await openWorkerGroup({
    settings: log.kind === 'kafka' ? log.settings : {},
    groupId: group.id,
    clientId: raw['client.id'] ?? `connect-${workerId}`,
    protocolType: 'connect',
    sessionTimeoutMs: group.sessionTimeoutMs,
    heartbeatMs: group.heartbeatMs,
    rebalanceTimeoutMs: group.rebalanceTimeoutMs,
    warn: (message) => logger.warn(message),
  });
  const membership = groupMembership({
    transport,
    workerId,
    url,
    protocol: group.protocol,
    configStore: stores.configStore,
    statusStore: stores.statusStore,
    maxDelayMs: group.rebalanceMaxDelayMs,
    syncTimeoutMs: group.syncTimeoutMs,
    unsyncBackoffMs: group.unsyncBackoffMs,
    logger,
  });
  const { keyTtlMs, keyGenerationAlgorithm, keySize, signatureAlgorithm, verificationAlgorithms, protocol } = group;
  return {
    membership,
    herder: {
      peers: createPeers({ signatureAlgorithm, tls: () => tlsOptions(rest.tls.settings, rest.tls.prefix) }),
      interWorker: {
        keyTtlMs,
        keyGenerationAlgorithm,
        ...(keySize === undefined ? {} : { keySize }),
        signatureAlgorithm,
        verificationAlgorithms,
        protocol,
        verifyAlways: rest.alwaysSigned,
      },
      exactlyOnce,
      times: { syncMs: group.syncTimeoutMs },
      beforeJoining: () => checkBeforeJoining(settings, group, place, logging.logger('millrace')),
    },
  };
}
