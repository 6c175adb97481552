/**
 * An open file: raw bytes gather to blocks, blocks to parts, parts go out while more comes. Blocks and parts are
 * cut by their sizes alone, so the same records make the same object.
 */
import type { FileEncoder } from '../formats/file-format.ts';
import { byteQueue } from './byte-queue.ts';
import type { ByteQueue } from './byte-queue.ts';
import type { Memory, Slots } from './memory.ts';
import type { SpillFile } from './spill-file.ts';
import type { Upload } from './upload.ts';

export interface FileParts {
  readonly key: string;
  readonly encoder: FileEncoder;
  readonly upload: Upload;
  readonly partBytes: number;
  readonly memory: Memory;
  readonly spill: SpillFile;
  /** For the making of blocks, each of which is in memory meanwhile. */
  readonly work: Slots;
  /** For files whose blocks are all made at the end. */
  readonly ends: Slots;
}

export interface ObjectFile {
  readonly key: string;
  /** Adds a record's raw bytes, as the file's encoder wrote them, and what ends it. */
  append(raw: Uint8Array, end?: Uint8Array): void;
  /** Bytes in memory that {@link spill} can put aside. */
  idleBytes(): number;
  spill(): Promise<void>;
  /** Resolves when the object is there. */
  finish(): Promise<void>;
  /** Gives the file up. Never rejects. */
  abort(): Promise<void>;
}

/** S3 takes 10,000 parts: files that grow beyond all measure get larger ones. */
const partsOfOneSize = 2000;

export function objectFile({ key, encoder, upload, partBytes, memory, spill, work, ends }: FileParts): ObjectFile {
  const { blockBytes } = encoder;
  let raw: ByteQueue = byteQueue(memory, spill);
  let rawRecords = 0;
  let tail: ByteQueue = byteQueue(memory, spill, partBytes);
  let parts = 0;
  let partSize = partBytes;
  let aborted = false;
  /** Whether blocks wait for the end; known at the first of them. */
  let holdsBack: boolean | undefined;
  const held: { full: ByteQueue; records: number }[] = [];
  const cut = new Set<ByteQueue>();
  /** Blocks and parts, one after the other. */
  let jobs: Promise<void> = Promise.resolve();
  if (encoder.header !== undefined) tail.append(encoder.header);

  function queue(job: () => Promise<void>): void {
    jobs = jobs.then(() => (aborted ? undefined : job()));
    // Its failure is `finish`'s; until then it is nobody's.
    jobs.catch(() => {});
  }

  function output(bytes: Uint8Array): void {
    if (tail.length + bytes.length < partSize) return tail.append(bytes);
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + partSize - tail.length);
      tail.append(bytes.subarray(at, end));
      at = end;
      if (tail.length >= partSize) cutPart();
    }
  }

  function cutPart(): void {
    const full = tail;
    const number = ++parts;
    partSize = partBytes * 2 ** Math.floor(parts / partsOfOneSize);
    tail = byteQueue(memory, spill, partSize, true);
    cut.add(full);
    queue(async () => {
      await upload.part(number, full);
      cut.delete(full);
    });
  }

  function cutBlock(): void {
    const full = raw;
    const records = rawRecords;
    raw = byteQueue(memory, spill);
    rawRecords = 0;
    holdsBack ??= encoder.mayStart?.() === false;
    if (holdsBack) held.push({ full, records });
    else makeBlock(full, records);
  }

  function makeBlock(full: ByteQueue, records: number): void {
    cut.add(full);
    queue(async () => {
      const release = await work.acquire(full.length);
      try {
        const bytes = await full.take();
        cut.delete(full);
        try {
          output((await encoder.block?.(bytes, records)) ?? bytes);
        } finally {
          memory.give(bytes.length);
        }
      } finally {
        release();
      }
    });
  }

  async function encodeRest(): Promise<void> {
    if (rawRecords > 0) cutBlock();
    const release = held.length === 0 ? undefined : await ends.acquire(1);
    for (const { full, records } of held.splice(0)) makeBlock(full, records);
    queue(async () => output((await encoder.end?.()) ?? new Uint8Array()));
    try {
      // What the last blocks cut off is queued while they run: nothing is left only when nothing new came.
      for (let last; last !== jobs;) await (last = jobs);
    } finally {
      release?.();
      encoder.close?.();
    }
  }

  return {
    key,
    append(bytes, end) {
      if (blockBytes === null) {
        output(bytes);
        if (end !== undefined) output(end);
        return;
      }
      raw.append(bytes);
      if (end !== undefined) raw.append(end);
      rawRecords++;
      if (raw.length >= blockBytes) cutBlock();
    },
    idleBytes: () => held.reduce((sum, { full }) => sum + full.inMemory, raw.inMemory + tail.inMemory),
    async spill() {
      for (const { full } of held) await full.spill();
      await raw.spill();
      await tail.spill();
    },
    async finish() {
      await encodeRest();
      if (aborted) return;
      await upload.finish(parts + 1, tail);
    },
    async abort() {
      aborted = true;
      await upload.abort();
      await jobs.catch(() => {});
      encoder.close?.();
      for (const left of [raw, tail, ...cut, ...held.map(({ full }) => full)]) await left.drop();
    },
  };
}
