import { batchHeaders, batchOverheadBytes, crcMatches } from '../batch/batch-header.ts';
import type { BatchHeader } from '../batch/batch-header.ts';
import { VarintReader } from '../batch/varint.ts';
import { checksum } from './checksum.ts';
import type { AbortedTransaction } from './fetch-request.ts';

export interface VisibleBatches {
  /** Bytes of the batches that are left, from the start of the buffer on. */
  readonly length: number;
  /** The offset after the last whole batch, seen or not; undefined when there was none. */
  readonly nextOffset: bigint | undefined;
}

/**
 * Leaves in `records` only the batches that a consumer may see, moved together: no control batches and, given the
 * aborted transactions of the answer, none of theirs. The answer lists every aborted transaction that reaches into
 * it, also one that began long before, so nothing is carried from fetch to fetch; one producer may be in it several
 * times (KIP-98; org.apache.kafka.clients.consumer.internals.CompletedFetch).
 * Throws a RangeError for a batch whose checksum does not match.
 */
export function keepVisible(records: Buffer, aborted: readonly AbortedTransaction[] | undefined, checkCrcs: boolean): VisibleBatches {
  const upcoming = (aborted ?? []).toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const aborting = new Set<bigint>();
  let next = 0;
  let length = 0;
  let nextOffset: bigint | undefined;
  for (const header of batchHeaders(records)) {
    nextOffset = header.lastOffset + 1n;
    if (checkCrcs && !crcMatches(records, header, checksum)) {
      throw new RangeError(`the record batch at offset ${header.baseOffset} is damaged: its checksum does not match`);
    }
    while (next < upcoming.length && (upcoming[next] as AbortedTransaction).firstOffset <= header.lastOffset) {
      aborting.add((upcoming[next++] as AbortedTransaction).producerId);
    }
    if (header.control) {
      if (isAbortMarker(records, header)) aborting.delete(header.producerId);
      continue;
    }
    if (header.transactional && aborting.has(header.producerId)) continue;
    if (length !== header.start) records.copyWithin(length, header.start, header.end);
    length += header.end - header.start;
  }
  return { length, nextOffset };
}

/** A control batch holds one record; its key is the version (int16) and the type (int16), 0 for an abort. */
function isAbortMarker(records: Buffer, header: BatchHeader): boolean {
  if (header.records === 0) return false;
  const reader = new VarintReader(records, header.start + batchOverheadBytes, header.end);
  reader.signed();
  reader.position++;
  reader.signed();
  reader.signed();
  if (reader.signed() < 4) return false;
  return records.readInt16BE(reader.position + 2) === 0;
}
