/** Dead letters of all connectors of this worker's log: who may look, who may write, and that one writes at a time. */
import { ConfigError, RetriableError } from '../api/index.ts';
import type { Logger, RawConfig } from '../api/index.ts';
import { ledgerTopic, resubmissionTopic } from '../ports/dead-letters.ts';
import type { DeadLetters } from '../ports/dead-letters.ts';
import { RequestError } from '../ports/herder.ts';
import type { Log } from '../ports/log.ts';
import type { ConnectorKind } from '../ports/tasks.ts';
import { destinations } from './destinations.ts';
import { openLedger } from './ledger.ts';
import { openLedgerWriter } from './ledger-writer.ts';
import { getLetter, listLetters } from './list.ts';
import type { Looking } from './list.ts';
import { outlivedEntries } from './outlived.ts';
import type { PlanParts } from './plan.ts';
import { openQueue } from './queue.ts';
import { discard, resubmit } from './resubmission.ts';
import type { Session } from './resubmission.ts';

export interface DeadLetterConnector {
  readonly kind: ConnectorKind;
  /** Placeholders resolved. */
  readonly config: RawConfig;
  /** Whether letters can go straight to its sink. */
  readonly takesResubmitted: boolean;
}

export interface DeadLettersOptions {
  readonly log: Log;
  readonly logger: Logger;
  /** Rejects with a RequestError for one that there is not. */
  connector(name: string): Promise<DeadLetterConnector>;
  /** Resolves where this worker leads; rejects with a ForwardError to who does. */
  leading(): Promise<void>;
  /** Starts the connector's tasks anew: a sink reads its resubmission topic from its next start on. */
  restartTasks(name: string): Promise<void>;
}

/** Below the time that a REST request has. */
const patienceMs = 80_000;
const requestOverheadBytes = 512;
const largestRequestBytes = 64 << 20;

export function createDeadLetters({ log, logger, connector: find, leading, restartTasks }: DeadLettersOptions): DeadLetters {
  /** By dead-letter topic, what is being written. */
  const writing = new Map<string, Promise<unknown>>();
  /** Resubmission topics that tasks were started anew for. */
  const opened = new Set<string>();

  async function looking(name: string, { config }: DeadLetterConnector, signal: AbortSignal): Promise<Looking> {
    const topic = config['errors.deadletterqueue.topic.name']?.trim() ?? '';
    if (topic === '') {
      throw new RequestError(400, `Connector ${name} has no dead letters: its config names no errors.deadletterqueue.topic.name.`);
    }
    const [found] = await log.describeTopics([topic]);
    const clientId = `millrace-dead-letters-${name}`;
    const { topicId = '', partitions = 0 } = found ?? {};
    const shared = { log, clientId, topic, signal };
    return {
      ...shared,
      connector: name,
      topicId,
      partitions,
      queue: openQueue({ ...shared, connector: name, partitions }),
      ledger: openLedger({ ...shared, topicId }),
    };
  }

  async function answered<T>(name: string, doing: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.timeout(patienceMs);
    try {
      return await work(signal);
    } catch (error) {
      if (error instanceof RequestError) throw error;
      if (signal.aborted) {
        const hint =
          'Narrow it down with filters, or a smaller limit; with force no topic is read to find out which letters are superseded.';
        throw new RequestError(500, `${doing} of connector ${name} took longer than ${patienceMs / 1000} s. ${hint}`, { cause: error });
      }
      const status = error instanceof ConfigError ? 400 : error instanceof RetriableError ? 503 : 500;
      throw new RequestError(status, `${doing} of connector ${name} failed: ${(error as Error).message}`, { cause: error });
    }
  }

  /** One after the other for each dead-letter topic, after whom it is in vain to fence. */
  async function alone<T>(topic: string, work: () => Promise<T>): Promise<T> {
    const done = (writing.get(topic) ?? Promise.resolve()).then(work);
    const settled = done.then(
      () => {},
      () => {},
    );
    writing.set(topic, settled);
    try {
      return await done;
    } finally {
      if (writing.get(topic) === settled) writing.delete(topic);
    }
  }

  async function writingSession<T>(look: Looking, { config }: DeadLetterConnector, work: (session: Session) => Promise<T>): Promise<T> {
    await createTopic(look.topic, ledgerTopic(look.topic), config, { 'cleanup.policy': 'compact' });
    await using writer = await openLedgerWriter({
      log,
      clientId: look.clientId,
      transactionalId: `connect-dead-letters-${look.topic}`,
      overrides: { 'max.request.size': String(largestRequestBytes + requestOverheadBytes), 'delivery.timeout.ms': '60000' },
    });
    const outlived = await outlivedEntries(look);
    const done = await work({ ...look, ledger: { ...look.ledger, states: () => look.ledger.states(outlived.see) }, writer });
    try {
      const buried = await outlived.bury(writer);
      if (buried > 0) logger.info(`deleted ${buried} entries of topic ${ledgerTopic(look.topic)}, whose letters are deleted`);
    } catch (error) {
      // What was asked for is done; the next request tries again.
      logger.warn(`topic ${ledgerTopic(look.topic)} keeps entries whose letters are deleted: ${(error as Error).message}`);
    }
    return done;
  }

  /** Where it is missing. Returns whether it was. */
  async function createTopic(letters: string, name: string, config: RawConfig, settings: RawConfig): Promise<boolean> {
    if ((await log.describeTopics([name])).length > 0) return false;
    const replicationFactor = Number(config['errors.deadletterqueue.topic.replication.factor']?.trim() ?? 3);
    const created = await log.createTopics([{ name, partitions: 1, replicationFactor, config: settings }]);
    if (created.length > 0) logger.info(`made topic ${name} beside dead-letter topic ${letters}`);
    return created.length > 0;
  }

  async function openStraightWay(name: string, look: Looking, { config }: DeadLetterConnector): Promise<void> {
    const groupId = groupOf(name, config);
    const topic = resubmissionTopic(groupId);
    const size = Number((await log.topicConfig(look.topic))['max.message.bytes'] ?? 1_048_588);
    const settings = { 'retention.ms': '-1', 'max.message.bytes': String(size) };
    const isNew = await createTopic(look.topic, topic, config, settings);
    // Tasks that are under way do not read it yet; nor do they where a worker died after it was made.
    if (opened.has(topic) || (!isNew && (await log.groupOffsets(groupId)).some((each) => each.topic === topic))) return;
    try {
      await restartTasks(name);
      opened.add(topic);
    } catch (error) {
      logger.warn(
        `connector ${name} reads topic ${topic} from its next start on: its tasks could not be restarted: ${(error as Error).message}`,
      );
    }
  }

  return {
    list: (name, query) =>
      answered(name, 'Listing dead letters', async (signal) => listLetters(await looking(name, await find(name), signal), query)),

    get: (name, place) =>
      answered(name, 'Reading a dead letter', async (signal) => {
        const look = await looking(name, await find(name), signal);
        const letter = await getLetter(look, place);
        if (letter !== undefined) return letter;
        const where = `partition ${place.partition}, offset ${place.offset} of topic ${look.topic}`;
        throw new RequestError(
          404,
          `Connector ${name} has no dead letter at ${where}: it may have been deleted, or be another connector's.`,
        );
      }),

    async resubmit(name, request) {
      await leading();
      return answered(name, 'Resubmitting dead letters', async (signal) => {
        const connector = await find(name);
        const { kind, config } = connector;
        const straight = request.target === 'sink';
        if (straight && kind === 'sink' && !connector.takesResubmitted) throw new RequestError(400, notStraight(name));
        if (straight && kind !== 'sink')
          throw new RequestError(400, `Connector ${name} is a source: its dead letters can only go to their topic.`);
        const look = await looking(name, connector, signal);
        const parts = { ...request, groupId: groupOf(name, config), onlyTopic: onlyTopicOf(config), destinationOf: destinations(log) };
        if (request.dryRun) return resubmit({ ...look, writer: undefined }, { ...parts, destinationOf: wouldBe(parts) });
        return alone(look.topic, async () => {
          if (straight) await openStraightWay(name, look, connector);
          return writingSession(look, connector, (session) => resubmit(session, parts));
        });
      });
    },

    async discard(name, request) {
      await leading();
      return answered(name, 'Discarding dead letters', async (signal) => {
        const connector = await find(name);
        const look = await looking(name, connector, signal);
        if (request.dryRun) return discard({ ...look, writer: undefined }, request);
        return alone(look.topic, () => writingSession(look, connector, (session) => discard(session, request)));
      });
    },
  };
}

const notStraight = (name: string): string =>
  `The sink of connector ${name} does not say that dead letters can go straight to it ("resubmission" in its package): what it makes of a record’s place might ` +
  'take them for other records. Resubmit them to the topic that they came from.';

/** The resubmission topic is made when it is first written to. */
function wouldBe({ groupId, destinationOf }: Pick<PlanParts, 'groupId' | 'destinationOf'>): PlanParts['destinationOf'] {
  const straight = resubmissionTopic(groupId);
  const made = { topic: straight, partitions: 1, maxBatchBytes: largestRequestBytes, oldestMs: 0 };
  return async (topic) => (await destinationOf(topic)) ?? (topic === straight ? made : undefined);
}

/** Of a sink's consumer. Source: org.apache.kafka.connect.util.SinkUtils.consumerGroupId. */
const groupOf = (name: string, config: RawConfig): string => config['consumer.override.group.id'] ?? `connect-${name}`;

function onlyTopicOf(config: RawConfig): string | undefined {
  const topics = (config['topics'] ?? '')
    .split(',')
    .map((topic) => topic.trim())
    .filter(Boolean);
  return topics.length === 1 ? topics[0] : undefined;
}
