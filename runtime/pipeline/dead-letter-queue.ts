import { ConnectError } from '../api/index.ts';
import type { Logger, TopicPartition } from '../api/index.ts';
import type { OutboundBatch } from '../ports/log.ts';
import { letterBatches } from './dead-letter-batches.ts';
import { withContext } from './dead-letter.ts';
import type { DeadLetter, DeadLetterSettings, LetterPlace } from './dead-letter.ts';
import type { DeadLetterTopic } from './dead-letter-topic.ts';
import type { LetterTaker } from './error-policy.ts';
import { PartitionTable } from './partition-table.ts';
import type { TaskFigures } from './task-figures.ts';

/** A letter is written so soon, where its offset can be committed by then. */
const delayMs = 5_000;
/** So much of them is written at once. */
const promptBytes = 1024 * 1024;
const promptCount = 1_000;
/** More than that is not kept for offsets that do not move. */
const keptBytes = 16 * 1024 * 1024;

/** Letters that a commit writes. One of the two is to be called, once it is known how the commit went. */
export interface LettersTaken {
  readonly batches: readonly OutboundBatch[];
  written(): void;
  failed(): void;
}

/**
 * The dead letters of a sink task until the offsets behind them are committed: letter and offset are stored together, so
 * that a task that starts anew finds both or neither, and no record is a dead letter twice. What keeps its offsets
 * back for long (files that are still open) keeps its letters back too, up to a bound of memory: beyond it they are
 * written ahead of their offsets, and a crash may then double them.
 */
export interface SinkDeadLetters extends LetterTaker {
  readonly isEmpty: boolean;
  /** When a commit should be tried, in milliseconds since 1970; Infinity while nothing waits. */
  readonly dueAtMs: number;
  /** A commit is being tried; whatever becomes of it, the next need not come at once. */
  postpone(): void;
  /** Those that may be written by a commit after which the group stands there; undefined: where that is not known. */
  take(standsAt: (partition: TopicPartition) => bigint | undefined): LettersTaken;
  /** Letters of partitions that go: whoever has them next reads those records again. */
  drop(partitions: readonly TopicPartition[]): void;
}

interface Waiting extends DeadLetter, LetterPlace {
  readonly bytes: number;
}

export function sinkDeadLetters(
  settings: DeadLetterSettings,
  topic: DeadLetterTopic,
  figures: TaskFigures,
  log: Pick<Logger, 'warn'>,
  isAssigned: (partition: TopicPartition) => boolean,
): SinkDeadLetters {
  const waiting = new PartitionTable<Map<bigint, Waiting>>();
  /** Offsets of letters that went ahead: read again after a retry, they are not written again. */
  const ahead = new PartitionTable<Set<bigint>>();
  let bytes = 0;
  let count = 0;
  let dueAtMs = Infinity;
  /** Since a commit was last tried. */
  let grownBytes = 0;
  let grownCount = 0;
  let warned = false;

  function remove(letter: Waiting): void {
    const there = waiting.get(letter);
    if (there?.get(letter.offset) !== letter) return;
    there.delete(letter.offset);
    bytes -= letter.bytes;
    count--;
  }

  function due(standsAt: (partition: TopicPartition) => bigint | undefined): Waiting[] {
    const letters: Waiting[] = [];
    for (const [partition, there] of waiting) {
      const stands = standsAt(partition) ?? -1n;
      // What a transform refuses is taken after all that the converters refuse of the same fetch.
      const taken = [...there.values()].filter(({ offset }) => offset < stands);
      letters.push(...taken.sort((a, b) => (a.offset < b.offset ? -1 : 1)));
    }
    return letters;
  }

  /** What has to go ahead of its offsets. */
  function tooMany(taken: readonly Waiting[]): Waiting[] {
    if (bytes - sum(taken) <= keptBytes) return [];
    if (!warned) {
      log.warn(
        `dead letters of ${bytes} bytes wait for offsets that the connector does not release: they are written to topic "${topic.name}" ahead of them. ` +
          'After a crash of the worker they may be there twice.',
      );
    }
    warned = true;
    const chosen = new Set(taken);
    return [...waiting].flatMap(([, there]) => [...there.values()].filter((letter) => !chosen.has(letter)));
  }

  return {
    get isEmpty() {
      return count === 0;
    },
    get dueAtMs() {
      return count === 0 ? Infinity : dueAtMs;
    },
    postpone() {
      dueAtMs = Date.now() + delayMs;
      grownBytes = 0;
      grownCount = 0;
    },
    take(standsAt) {
      const inTime = due(standsAt);
      const early = tooMany(inTime);
      const letters = [...inTime, ...early];
      const batches = letters.length === 0 ? [] : letterBatches(topic, letters);
      if (letters.length > 0) figures.add('deadletterqueue-produce-requests', letters.length);
      return {
        batches,
        written() {
          letters.forEach(remove);
          for (const { offset, ...partition } of early) {
            const there = ahead.get(partition) ?? new Set();
            ahead.set(partition, there.add(offset));
          }
          for (const [partition, offsets] of ahead) {
            const stands = standsAt(partition) ?? 0n;
            for (const offset of offsets) if (offset < stands) offsets.delete(offset);
          }
        },
        failed() {
          if (letters.length > 0) figures.add('deadletterqueue-produce-failures', letters.length);
        },
      };
    },
    drop(partitions) {
      for (const partition of partitions) {
        for (const letter of waiting.get(partition)?.values() ?? []) remove(letter);
        waiting.delete(partition);
        ahead.delete(partition);
      }
    },
    takeLetter(failure, place) {
      if (!('offset' in place)) throw new ConnectError('a record of a source is no dead letter of a sink.');
      const { topic: from, partition, offset, raw } = place;
      if (raw === undefined) throw new ConnectError(`topic "${from}", partition ${partition}, offset ${offset}: its bytes are not known.`);
      // Of a partition that is another task's by now: the record is read, and judged, there.
      if (!isAssigned(place) || ahead.get(place)?.has(offset) === true) return;
      const at: LetterPlace = { topic: from, partition, offset };
      const headers = settings.contextHeaders ? withContext(raw.headers, settings, at, failure) : raw.headers;
      const letter = {
        ...at,
        key: copied(raw.key),
        value: copied(raw.value),
        headers: headers.map(({ key, value }) => ({ key, value: copied(value) })),
        timestamp: raw.timestamp < 0 ? Date.now() : raw.timestamp,
      };
      const there = waiting.get(at) ?? new Map<bigint, Waiting>();
      waiting.set(at, there);
      const before = there.get(offset);
      if (before !== undefined) remove(before);
      const size = sizeOf(letter);
      there.set(offset, { ...letter, bytes: size });
      if (count === 0) dueAtMs = Date.now() + delayMs;
      bytes += size;
      count++;
      grownBytes += size;
      grownCount++;
      if (grownBytes >= promptBytes || grownCount >= promptCount) dueAtMs = 0;
    },
  };
}

/** What was read is part of a large buffer, which must not be kept for it. */
function copied<T extends Uint8Array | null>(bytes: T): T {
  return (bytes === null ? null : Buffer.from(bytes)) as T;
}

const recordBytes = 200;

function sizeOf({ key, value, headers }: DeadLetter): number {
  const inHeaders = headers.reduce((total, header) => total + header.key.length + (header.value?.length ?? 0), 0);
  return recordBytes + (key?.length ?? 0) + (value?.length ?? 0) + inHeaders;
}

function sum(letters: readonly Waiting[]): number {
  return letters.reduce((total, letter) => total + letter.bytes, 0);
}
