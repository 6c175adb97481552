/** A dead-letter topic with letters in it, and the means to look at what became of them. */
import { batchOf, createTopic, readPartition, uniqueName } from '../../../test/contract/log-fixture.ts';
import type { OpenedLog, ReadTextRecord, TextRecord } from '../../../test/contract/log-fixture.ts';
import type { RawConfig } from '../../api/index.ts';
import type { DeadLetters, LetterChoice, LetterReport, LetterSelection, ResubmitRequest } from '../../ports/dead-letters.ts';
import type { Log } from '../../ports/log.ts';
import type { ConnectorKind } from '../../ports/tasks.ts';
import { createDeadLetters } from '../create-dead-letters.ts';

export interface LetterSpec extends TextRecord {
  /** Where it stood; left out: the letter has no context headers. */
  readonly at?: readonly [partition: number, offset: number];
  readonly stage?: string;
  readonly connector?: string;
}

export interface LettersFixture extends AsyncDisposable {
  readonly log: Log;
  /** What the sink reads, with two partitions. */
  readonly topic: string;
  readonly queue: string;
  readonly name: string;
  readonly deadLetters: DeadLetters;
  readonly restarted: string[];
  append(topic: string, partition: number, records: readonly (TextRecord | string)[]): Promise<void>;
  letters(...specs: readonly LetterSpec[]): Promise<void>;
  resubmit(selection: LetterSelection, more?: Partial<Omit<ResubmitRequest, 'selection'>>): Promise<LetterReport>;
  read(partition: number): Promise<ReadTextRecord[]>;
  /** Another worker on the same log. */
  another(): DeadLetters;
}

export const all: LetterSelection = { filter: {}, limit: 1_000 };

export const these = (...offsets: readonly (number | LetterChoice)[]): LetterSelection => ({
  letters: offsets.map((each) => (typeof each === 'number' ? { partition: 0, offset: BigInt(each) } : each)),
});

/** `0:17 resubmitted`, in order. */
export const ends = ({ outcomes }: LetterReport): string[] =>
  outcomes.map(({ partition, offset, outcome }) => `${partition}:${offset} ${outcome}`);

export async function openLetters(
  open: () => Promise<OpenedLog>,
  more: RawConfig = {},
  kind: ConnectorKind = 'sink',
): Promise<LettersFixture> {
  const opened = await open();
  const { log } = opened;
  const topic = await createTopic(log, 2, { 'max.message.bytes': '1000012' });
  const queue = await createTopic(log, 1, { 'max.message.bytes': '2000000' });
  const name = uniqueName('sink');
  const config = {
    topics: topic,
    'errors.deadletterqueue.topic.name': queue,
    'errors.deadletterqueue.topic.replication.factor': '1',
    ...more,
  };
  const restarted: string[] = [];
  const another = (): DeadLetters =>
    createDeadLetters({
      log,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      connector: async () => ({ kind, config, takesResubmitted: true }),
      leading: async () => {},
      restartTasks: async (connector) => void restarted.push(connector),
    });
  const deadLetters = another();

  async function append(to: string, partition: number, records: readonly (TextRecord | string)[]): Promise<void> {
    await using producer = await log.openProducer({ clientId: 'letters', overrides: { 'max.request.size': '2000000' } });
    await producer.append([batchOf(to, partition, records)]);
  }

  return {
    log,
    topic,
    queue,
    name,
    deadLetters,
    restarted,
    append,
    another,
    letters: (...specs) =>
      append(
        queue,
        0,
        specs.map((spec) => letterRecord(spec, topic, name)),
      ),
    resubmit: (selection, options) => deadLetters.resubmit(name, { target: 'topic', force: false, dryRun: false, ...options, selection }),
    read: (partition) => readPartition(log, topic, partition, 'read_committed'),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

function letterRecord({ at, stage = 'VALUE_CONVERTER', connector, ...record }: LetterSpec, topic: string, name: string): TextRecord {
  if (at === undefined) return record;
  const context = {
    topic,
    partition: String(at[0]),
    offset: String(at[1]),
    stage,
    'connector.name': connector ?? name,
    'exception.class.name': 'org.apache.kafka.connect.errors.DataException',
    'exception.message': 'bad bytes',
  };
  const headers = Object.entries(context).map(([key, value]) => [`__connect.errors.${key}`, value]);
  return { ...record, headers: { ...record.headers, ...(Object.fromEntries(headers) as Record<string, string>) } };
}
