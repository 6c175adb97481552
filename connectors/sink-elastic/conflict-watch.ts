/**
 * Version conflicts: the document has the same version or a higher one, so the record was not written. Mostly that is
 * a replay, and right. It is not where the version came from elsewhere: a topic that was deleted and made anew, a key
 * that moved to another partition, a second writer; then data is hidden, and somebody should know.
 *
 * A replay explains itself: the record that the document's version stands for comes again too, and conflicts with
 * its own version. Where that record's turn has passed without it, the version is not of this partition.
 *
 * A dead letter that was resubmitted comes when later records of its key may long be there: those stay, and it is said.
 */
import type { Logger, TopicPartition } from '@millrace/runtime/api';

import { offsetOf } from './operation.ts';
import type { Operation } from './operation.ts';
import { nameOf, readTopicOf } from './read-topic.ts';

export interface ConflictParts {
  readonly log: Logger;
  /** One more record that was not written: `replayed`, or `hidden` by a version from elsewhere, or by a later one than a resubmitted one's. */
  count(what: 'replayed' | 'hidden', records: number): void;
  /** The offset up to which all records of that partition are settled. */
  settledUpTo(partition: TopicPartition): bigint;
  now(): number;
}

/** Records that one version of one document keeps out. */
interface Pending {
  readonly first: Operation;
  current: bigint;
  readonly atMs: number;
  count: number;
}

/** A replay that does not come to the record in question by then is none. */
const patienceMs = 60_000;
const mostPending = 10_000;

export interface ConflictWatch {
  /** `again`: the operation had been sent before in this run. Returns whether it is a resubmitted dead letter that a later version has overtaken. */
  conflict(operation: Operation, current: bigint | undefined, again: boolean): boolean;
  /** Decides what can be decided by now, and logs a summary. */
  judge(): void;
}

export function conflictWatch(parts: ConflictParts): ConflictWatch {
  const pending = new Map<string, Pending>();
  const replays = new Map<string, number>();
  const existing = new Map<string, number>();
  let hidden: { count: number; first: Pending } | undefined;
  let late: { count: number; first: Operation; current: bigint } | undefined;

  function replayed({ record: { topic } }: Operation, records: number): void {
    parts.count('replayed', records);
    replays.set(topic, (replays.get(topic) ?? 0) + records);
  }

  /** Data streams keep the first document of an id, and do not tell what it was made of. */
  function exists({ record: { topic } }: Operation): void {
    parts.count('replayed', 1);
    existing.set(topic, (existing.get(topic) ?? 0) + 1);
  }

  function isHidden({ first, current, atMs }: Pending): boolean {
    return (
      parts.settledUpTo({ topic: readTopicOf(first.record), partition: first.record.partition }) > offsetOf(current) ||
      parts.now() - atMs > patienceMs
    );
  }

  function summarize(): void {
    for (const [topic, count] of replays) {
      parts.log.warn(
        `${count} records of topic ${topic} were not written, since their documents have that version or a higher one: a replay after a restart, which changes nothing. ` +
          'If offsets were set back in order to write again, do it through the REST API (PATCH or DELETE /connectors/NAME/offsets), so that versions begin anew.',
      );
    }
    replays.clear();
    for (const [topic, count] of existing) {
      parts.log.warn(
        `${count} records of topic ${topic} were not written, since the data stream has documents of their keys: a replay after a restart, or later records of those keys, of which a data stream keeps the first. ` +
          'To keep them all, set key.ignore=true.',
      );
    }
    existing.clear();
    if (late !== undefined) {
      const { count, first, current } = late;
      parts.log.warn(
        `${count} resubmitted dead letters were not written, since their documents have later versions already, which stay, force or not. ` +
          `The first: ${nameOf(first.record)}, document "${first.id}" of "${first.target.resource}", which has version ${current} (the letter's is ${first.version}). ` +
          'One that is to win over a later record has to go to its topic in place of the sink.',
      );
      late = undefined;
    }
    if (hidden === undefined) return;
    const { first, current } = hidden.first;
    parts.log.warn(
      `${hidden.count} records were not written, since their documents have a version that no record of their partition stands for. ` +
        `The first: ${nameOf(first.record)}, document "${first.id}" of "${first.target.resource}", which has version ${current}. ` +
        'The topic may have been made anew, the key may have moved to another partition, a dead letter of it was resubmitted, or somebody else writes to the index. ' +
        'To write them all the same, reset the offsets of the connector through the REST API, or delete those documents.',
    );
    hidden = undefined;
  }

  /** A replay, or one that waits until that is known. */
  function weigh(operation: Operation, current: bigint | undefined, again: boolean): void {
    const { version, id, target, record } = operation;
    const document = `${target.resource}\0${id}\0${record.partition}\0${readTopicOf(record)}`;
    const before = pending.get(document);
    if (version === null && operation.action === 'create' && operation.shared && !again) exists(operation);
    else if (again || version === null || current === undefined || current <= version) {
      replayed(operation, 1);
      if (before === undefined || before.current !== version) return;
      pending.delete(document);
      replayed(before.first, before.count);
    } else if (before !== undefined) {
      before.count++;
      before.current = current;
    } else if (pending.size >= mostPending) {
      replayed(operation, 1);
    } else {
      pending.set(document, { first: operation, current, atMs: parts.now(), count: 1 });
    }
  }

  return {
    conflict(operation, current, again) {
      const { version, record } = operation;
      if (record.resubmitted !== undefined && version !== null && current !== undefined && current > version) {
        parts.count('hidden', 1);
        late = { count: (late?.count ?? 0) + 1, first: late?.first ?? operation, current: late?.current ?? current };
        return true;
      }
      weigh(operation, current, again);
      return false;
    },
    judge() {
      for (const [document, each] of pending) {
        if (!isHidden(each)) continue;
        pending.delete(document);
        parts.count('hidden', each.count);
        hidden = { count: (hidden?.count ?? 0) + each.count, first: hidden?.first ?? each };
      }
      summarize();
    },
  };
}
