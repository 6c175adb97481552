import { ConnectError, RetriableError } from '../api/index.ts';
import type { PartitionOffset } from '../api/index.ts';
import { FencedError } from '../ports/log.ts';
import type { OutboundBatch } from '../ports/log.ts';
import { pause } from './retry.ts';
import { breaksForGood } from './transaction-errors.ts';
import type { OffsetsOwner, OffsetsProducer } from './transactional-producer.ts';

const undecidedPauseMs = 500;

/** Batches that go with the offsets of a group, one transaction for each call (KIP-447). */
export interface GroupAppends extends AsyncDisposable {
  /**
   * Both are there or neither. Waits for as long as the coordinator does not say whether a commit stands; rejects with a
   * RetriableError where the same call may work later, with nothing of it done.
   */
  commit(owner: OffsetsOwner, offsets: readonly PartitionOffset[], batches: readonly OutboundBatch[]): Promise<void>;
}

/** Opens the producer at once, and again after what it cannot get over. */
export async function groupAppends(open: () => Promise<OffsetsProducer>): Promise<GroupAppends> {
  let producer: OffsetsProducer | undefined = await open();
  const closing = new AbortController();

  /** The next call opens another one, which ends what this one may have left. */
  async function giveUp(): Promise<void> {
    const broken = producer;
    producer = undefined;
    await broken?.[Symbol.asyncDispose]();
  }

  /** What comes of a transaction that cannot go on: it was aborted, or nobody knows yet whether it was committed. */
  async function stop(used: OffsetsProducer, error: unknown): Promise<'aborted' | 'undecided'> {
    try {
      if (breaksForGood(error)) await giveUp();
      else await used.abortTransaction();
    } catch (refusal) {
      // The producer answers an abort with the commit's own error while it does not know what became of that.
      if (refusal === error && error instanceof RetriableError && !closing.signal.aborted) return 'undecided';
      await giveUp();
    }
    return 'aborted';
  }

  async function settle(used: OffsetsProducer): Promise<void> {
    for (;;) {
      try {
        return await used.commitTransaction();
      } catch (error) {
        if ((await stop(used, error)) === 'aborted') throw again(error);
        await pause(undecidedPauseMs, closing.signal);
      }
    }
  }

  return {
    async commit(owner, offsets, batches) {
      if (closing.signal.aborted) throw new ConnectError(`group "${owner.groupId}": this member was closed.`);
      const used = (producer ??= await open());
      try {
        await used.append(batches);
        if (offsets.length > 0) await used.sendOffsets(owner, offsets);
      } catch (error) {
        await stop(used, error);
        throw again(error);
      }
      await settle(used);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await giveUp();
    },
  };
}

/** Who is fenced may be a member of the group all the same, after a transaction that took too long: the group decides. */
function again(error: unknown): unknown {
  return error instanceof FencedError ? new RetriableError(error.message, { cause: error }) : error;
}
