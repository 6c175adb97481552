/** Where a letter is to go, and what stands against it. */
import { partitionForKey } from '../batch/partitioner.ts';
import { resubmissionTopic } from '../ports/dead-letters.ts';
import type { LetterEdit, ResubmitTarget } from '../ports/dead-letters.ts';
import type { Destination } from './destinations.ts';
import { isOfSource } from './letter.ts';
import type { Letter } from './letter.ts';
import { keyId } from './overtaken.ts';
import type { Suspect } from './overtaken.ts';

export type Plan =
  | { readonly kind: 'send'; readonly to: Destination; readonly partition: number; readonly suspect: Suspect | undefined }
  /** Not without force: whether it is superseded cannot be known. */
  | { readonly kind: 'held'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface PlanParts {
  readonly target: ResubmitTarget;
  readonly force: boolean;
  /** Of the connector's consumer, for a sink. */
  readonly groupId: string;
  /** The topic that the connector reads, where it reads one alone. */
  readonly onlyTopic: string | undefined;
  destinationOf(topic: string): Promise<Destination | undefined>;
}

export async function planOf(letter: Letter, edit: LetterEdit | undefined, parts: PlanParts): Promise<Plan> {
  const { target, force, groupId, onlyTopic, destinationOf } = parts;
  const { record } = letter;
  const ofSource = isOfSource(letter);
  const homeTopic = letter.origin?.topic ?? onlyTopic;
  if (homeTopic === undefined) {
    return failed(
      'it does not say which topic it came from: set errors.deadletterqueue.context.headers.enable=true for the letters to come.',
    );
  }
  if (ofSource && edit?.value === undefined) {
    return failed(
      'it is a source’s: it holds the record as text, not as bytes for its topic. Give its value (and key) as they are to be written.',
    );
  }
  if (target === 'sink' && letter.origin === undefined) {
    return failed(
      'it does not say where its record stood, and straight through the sink it would be taken for one of the resubmission topic: resubmit it to the topic.',
    );
  }
  const home = await destinationOf(homeTopic);
  const to = target === 'topic' ? home : await destinationOf(resubmissionTopic(groupId));
  if (to === undefined) return failed(`topic "${target === 'topic' ? homeTopic : resubmissionTopic(groupId)}" does not exist.`);

  const key = edit?.key === undefined ? record.key : edit.key === null ? null : Buffer.from(edit.key);
  const keyChanged = edit?.key !== undefined && !isSame(edit.key, record.key);
  const origin = letter.origin === undefined || ofSource || keyChanged ? undefined : letter.origin;
  /** Where the record stands, or would stand, in the topic that it came from. */
  const homePartition =
    home === undefined ? 0 : partitionIn(home, origin?.partition ?? letter.origin?.partition, origin !== undefined, key);
  const partition = target === 'topic' ? homePartition : 0;
  if (key === null || home === undefined || force) return { kind: 'send', to, partition, suspect: undefined };
  const known = ofSource ? undefined : letter.origin;
  if (known === undefined || known.partition !== homePartition) {
    const why =
      known === undefined
        ? 'it does not say at which offset it stood'
        : `it stood in partition ${known.partition} of "${homeTopic}", and its key belongs to partition ${homePartition}`;
    return { kind: 'held', reason: `${why}, so that it cannot be known whether a later record of its key has overtaken it.` };
  }
  return { kind: 'send', to, partition, suspect: { origin: known, key: keyId(key) } };
}

const failed = (reason: string): Plan => ({ kind: 'failed', reason });

/** The partition that it came from, while there is such a one and its key is the same; else its key's. */
function partitionIn({ partitions }: Destination, before: number | undefined, same: boolean, key: Buffer | null): number {
  if (before !== undefined && before < partitions && (same || key === null)) return before;
  return key === null ? (before ?? 0) % partitions : partitionForKey(key, partitions);
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.from(a).equals(b);
}
