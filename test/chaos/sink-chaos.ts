/**
 * A sink, and whatever may go wrong on the way to its target: poison among the records, kill -9 of the worker, and the
 * target's own mishaps, at random from a printed seed. At the end the target and the dead letters are the input, each record once.
 */
import { deepEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { useKafka } from '../services/share.ts';
import { createRandom, isFull, seedNote } from './seed.ts';
import type { Random } from './seed.ts';
import { commonPoison, createSinkInput, inputConfig } from './sink-input.ts';
import type { Placed, Poison } from './sink-input.ts';
import { account, readLetters } from './sink-letters.ts';
import type { Accounting } from './sink-letters.ts';
import { startSinkWorkers } from './sink-workers.ts';
import type { SinkWorkers } from './sink-workers.ts';
import { until } from './until.ts';

/** Something that befalls the target; resolves when it is over. Tells what it was. */
export type Mishap = () => Promise<string>;

export interface SinkTarget extends AsyncDisposable {
  /** The connector, but for its topics and what the input asks for. */
  readonly config: Readonly<Record<string, string>>;
  /** Further poison, which the target or the sink itself refuses. */
  readonly poison?: readonly Poison[];
  readonly mishaps: readonly Mishap[];
  /** Left out: 1. The target takes the records of a partition by so many: the input is filled up with good ones. */
  readonly wholeOf?: number;
  /** Nothing goes wrong from now on. */
  calm(): Promise<void>;
  /** Tells the id of each record that stands in the target, as often as it stands there; throws for anything else that does. */
  read(each: (id: number) => void): Promise<void>;
  /** Grows with what is in the target; quick to tell. */
  progress(): Promise<number>;
}

/** All that a test may go on with after the accounting, such as resubmitting the dead letters once what was wrong is mended. */
export interface Aftermath {
  readonly brokers: readonly string[];
  readonly connector: string;
  readonly topic: string;
  readonly lettersTopic: string;
  readonly sent: readonly Placed[];
  readonly workers: SinkWorkers;
  /** How often each id stands in the target. */
  counts(): Promise<Uint8Array>;
}

export interface SinkChaosOptions {
  readonly name: string;
  readonly cluster?: boolean;
  readonly target: (connector: string, random: Random) => Promise<SinkTarget>;
  readonly afterwards?: (aftermath: Aftermath) => Promise<void>;
}

const records = isFull ? 1_000_000 : 4_000;
const events = isFull ? 60 : 3;
const partitions = 4;

/** Of a test: where to tell what happened. */
interface Diary {
  diagnostic(message: string): void;
}

export async function sinkChaos(t: Diary, { name, cluster = false, target: open, afterwards }: SinkChaosOptions): Promise<void> {
  t.diagnostic(seedNote);
  const random = createRandom(`${name} ${cluster ? 'cluster' : 'alone'}`);
  const { brokers } = await useKafka();
  const id = `chaos-${name}-${randomBytes(4).toString('hex')}`;
  const lettersTopic = `${id}-letters`;
  await using target = await open(id, random);
  const poison = [...commonPoison, ...(target.poison ?? [])];
  await using input = await createSinkInput({ brokers, topic: `${id}-in`, partitions, poison, random });
  const config = {
    topics: input.topic,
    ...inputConfig,
    'errors.deadletterqueue.topic.name': lettersTopic,
    // A killed member of the group is mourned so long before its partitions go to the next one.
    'consumer.override.session.timeout.ms': '6000',
    ...target.config,
  };
  await input.send(Math.round(records / 3));
  await using workers = await startSinkWorkers({ brokers, connector: id, config, cluster, random });

  // A target that is down has made no progress.
  const progress = (): Promise<number> => target.progress().catch(() => -1);
  const happened: string[] = [];
  const mishaps = [() => workers.strike(), () => workers.bother(), ...target.mishaps, ...target.mishaps];
  const share = Math.floor((records * 2) / 3 / events);
  for (let event = 0; event < events; event++) {
    const before = await progress();
    const sending = input.send(event === events - 1 ? records - input.sent.length : share);
    if (random.next() < 0.7) await until('more is in the target', async () => (await progress()) > before, 10_000, 50).catch(() => {});
    await sleep(random.between(0, isFull ? 4_000 : 800));
    // The first is the worst, so that every run has it.
    const mishap = event === 0 ? () => workers.strike() : (mishaps[random.between(0, mishaps.length - 1)] as Mishap);
    happened.push(await mishap());
    await sending;
  }
  await workers.calm();
  await target.calm();
  await input.fill(target.wholeOf ?? 1);

  const { length } = input.sent;
  const counts = async (): Promise<Uint8Array> => {
    const found = new Uint8Array(length);
    await target.read((at) => {
      if (!(at >= 0 && at < length)) throw new Error(`id ${at} is in the target, which nobody sent`);
      found[at] = Math.min(255, (found[at] ?? 0) + 1);
    });
    return found;
  };
  const look = async (): Promise<Accounting> =>
    account({
      connector: id,
      topic: input.topic,
      sent: input.sent,
      letters: await readLetters(brokers, lettersTopic),
      counts: await counts(),
    });
  // Looking costs much of two cores, so it is not done while there is progress.
  for (let before = -1, now = await progress(); before !== now; [before, now] = [now, await progress()]) await sleep(1_000);
  let report: Accounting | undefined;
  const complete = async (): Promise<boolean> => (report = await look()).problems.length === 0;
  await until('target and dead letters are the input', complete, isFull ? 900_000 : 180_000, 2_000).catch(() => {});
  report ??= await look();
  t.diagnostic(`${length} records, ${report.letters} dead letters of ${poison.length} kinds; ${happened.join('; ')}`);
  if (workers.failures.length > 0) t.diagnostic(`tasks that failed and were restarted: ${[...new Set(workers.failures)].join('\n')}`);
  if (report.problems.length > 0) for (const worker of workers.workers) t.diagnostic(worker.logTail(40));
  deepEqual(report.problems, []);
  await afterwards?.({ brokers, connector: id, topic: input.topic, lettersTopic, sent: input.sent, workers, counts });
}
