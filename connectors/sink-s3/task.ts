/** Records of the task's partitions into files, and files into the bucket. Source: io.confluent.connect.s3.S3SinkTask. */
import { ConnectError, DataError, RetriableError } from '@millrace/runtime/api';
import type { PartitionOffset, SinkRecord, SinkTask, SinkTaskContext, TopicPartition } from '@millrace/runtime/api';
import { backpressure } from './backpressure.ts';
import { filesOf, tagsOf } from './file-set.ts';
import type { FileSet } from './file-set.ts';
import { skipsNull } from './null-values.ts';
import { originOf, placeText } from './origin.ts';
import { partitionWriter } from './partition-writer.ts';
import type { PartitionWriter } from './partition-writer.ts';
import type { S3Config } from './settings.ts';
import { abandonedUploads } from './storage/abandoned.ts';
import { LostUploadError } from './storage/upload.ts';
import type { Bucket } from './storage/bucket.ts';
import type { SharedParts } from './writer-parts.ts';

/** How long a commit waits for files that the clock has just closed, and a stop for those on their way. */
const commitPatienceMs = 3_000;
/** How long the last requests of partitions that go away are waited for. */
const abandonPatienceMs = 5_000;
const longestTickMs = 1_000;

export function s3SinkTask(values: S3Config, shared: SharedParts, bucket: Bucket, context: SinkTaskContext): SinkTask {
  const { connector, signal, log } = context;
  const writers = new Map<string, PartitionWriter>();
  const origin = originOf(context);
  const skips = skipsNull(values, context);
  const { memory, patience } = bucket;
  const traffic = { sets: 0 };
  let fatal: Error | undefined;
  let lost: Error | undefined;
  let askedAtMs = 0;

  const all = (): PartitionWriter[] => [...writers.values()];
  const throttle = backpressure({
    connector,
    memory,
    patience,
    signal,
    openFiles: () => all().flatMap((writer) => writer.openFiles()),
    finishing: () => traffic.sets,
    check: checkPut,
  });

  const abandoned = abandonedUploads({
    ...bucket,
    names: shared.names,
    log,
    isMine: ({ topic, partition }) => writers.has(`${topic}-${partition}`),
  });

  function check(): void {
    if (fatal !== undefined) throw fatal;
  }

  /** Only a commit can have the records of a lost upload read again. */
  function checkPut(): void {
    check();
    if (lost !== undefined) throw new RetriableError(`connector ${connector}: ${lost.message}`);
  }

  function failed(error: unknown): void {
    if (error instanceof Error && error.name === 'AbortError') return;
    if (error instanceof LostUploadError) {
      lost ??= error;
      return context.requestCommit();
    }
    fatal ??= error instanceof Error ? error : new ConnectError(String(error));
    // A task that no record comes to would not hear of it otherwise.
    context.fail(fatal);
  }

  /** What is in the bucket is committed soon, so that little is done again after a crash; but not for each file. */
  function finished(error: unknown): void {
    if (error !== undefined) return failed(error);
    memory.give(0);
    if (Date.now() - askedAtMs < 1_000) return;
    askedAtMs = Date.now();
    context.requestCommit();
  }

  async function finish(set: FileSet): Promise<void> {
    await Promise.all(filesOf(set).map((file) => file.finish()));
    if (!values['s3.object.tagging']) return;
    for (const group of set.groups.values()) {
      const tags = tagsOf(group, bucket.extraTags);
      await Promise.all(group.files.map(({ file }) => bucket.tag(file.key, tags)));
    }
  }

  function open({ topic, partition }: TopicPartition): void {
    const topicId = context.topicId(topic);
    // What was given up has nothing more to say.
    const ifMine = (then: (error: unknown) => void) => (error: unknown) => {
      if (writers.get(`${topic}-${partition}`) === writer) then(error);
    };
    const writer = partitionWriter({ topic, partition }, topicId, {
      ...shared,
      openFile: (key, encoder) => bucket.openFile(key, topicId, encoder, { failed: ifMine(failed), ready: abandoned.known }),
      finish,
      finished: ifMine(finished),
      traffic,
    });
    writers.set(`${topic}-${partition}`, writer);
    last = undefined;
  }

  /** The last one found, for records of its own topic; most records come in runs of one partition. */
  let last: { readonly topic: string; readonly partition: number; readonly writer: PartitionWriter } | undefined;

  function writerOf(record: SinkRecord): PartitionWriter {
    const isPlain = record.originalTopic === undefined && record.resubmitted === undefined;
    if (isPlain && last !== undefined && last.partition === record.partition && last.topic === record.topic) return last.writer;
    const { topic, partition } = origin(record);
    const writer = writers.get(`${topic}-${partition}`);
    if (writer === undefined)
      throw new ConnectError(`connector ${connector}: a record of ${topic}-${partition}, which this task does not have`);
    if (isPlain && topic === record.topic) last = { topic, partition, writer };
    return writer;
  }

  /** A promise only for what has to be waited for. */
  function take(record: SinkRecord, nowMs: number): Promise<void> | undefined {
    const writer = writerOf(record);
    // It was taken before the put that it came with was told to try again.
    if (record.offset <= writer.taken) return undefined;
    if (record.value === null) return takeNull(writer, record, nowMs);
    return add(writer, record, nowMs);
  }

  function add(writer: PartitionWriter, record: SinkRecord, nowMs: number): Promise<void> | undefined {
    try {
      writer.add(record, nowMs);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return reported(writer, record, error);
    }
    writer.taken = record.offset;
    return undefined;
  }

  async function takeNull(writer: PartitionWriter, record: SinkRecord, nowMs: number): Promise<void> {
    if (await skips(record)) writer.taken = record.offset;
    else await add(writer, record, nowMs);
  }

  async function reported(writer: PartitionWriter, record: SinkRecord, cause: DataError): Promise<void> {
    const message = `record ${placeText(record)} cannot be written to S3: ${cause.message}`;
    await context.report(record, new DataError(message, { cause }));
    writer.taken = record.offset;
  }

  function closeDue(): PartitionWriter[] {
    const nowMs = Date.now();
    return all().filter((writer) => writer.closeIfDue(nowMs));
  }

  async function abandon(gone: readonly PartitionWriter[]): Promise<void> {
    await within(abandonPatienceMs, Promise.all(gone.map((writer) => writer.abandon())));
  }

  /** What was sent is gone: all of it is read again from what is committed. */
  async function startAgain(offsets: readonly PartitionOffset[]): Promise<never> {
    const reason = lost as Error;
    lost = undefined;
    for (const { topic, partition } of offsets) {
      const old = writers.get(`${topic}-${partition}`);
      if (old === undefined) continue;
      open({ topic, partition });
      await abandon([old]);
    }
    throw new RetriableError(`connector ${connector}: ${reason.message} Its records are read again.`, { cause: reason });
  }

  const { wallClockMs, schedule } = shared.rotation;
  const shortest = Math.min(wallClockMs ?? Number.POSITIVE_INFINITY, schedule?.intervalMs ?? Number.POSITIVE_INFINITY);
  const ticking = Number.isFinite(shortest) ? setInterval(tick, Math.max(10, Math.min(longestTickMs, shortest / 4))) : undefined;

  /** Files that are due are closed where calls do not overlap: in a commit. */
  function tick(): void {
    const nowMs = Date.now();
    if (all().some((writer) => writer.isDue(nowMs))) context.requestCommit();
  }

  return {
    async open(partitions) {
      for (const each of partitions) open(each);
      if (values['abandoned.uploads'].toLowerCase() !== 'abort') return;
      const left = partitions.map(({ topic, partition }) => ({ topic, partition, topicId: context.topicId(topic) }));
      await within(abandonPatienceMs, abandoned.abort(left));
    },
    async close(partitions) {
      const gone = partitions.flatMap(({ topic, partition }) => writers.get(`${topic}-${partition}`) ?? []);
      for (const { topic, partition } of partitions) writers.delete(`${topic}-${partition}`);
      last = undefined;
      await abandon(gone);
    },
    async put(records) {
      check();
      closeDue();
      const nowMs = Date.now();
      for (const record of records) {
        if (throttle.needed()) await throttle.wait();
        const waiting = take(record, nowMs);
        if (waiting !== undefined) await waiting;
      }
    },
    async preCommit(offsets) {
      check();
      if (lost !== undefined) await startAgain(offsets);
      const closed = closeDue();
      const awaited = signal.aborted ? all() : closed;
      if (patience.failing() === undefined) await within(commitPatienceMs, Promise.all(awaited.map((writer) => writer.settled())));
      check();
      return offsets.flatMap((entry) => {
        const writer = writers.get(`${entry.topic}-${entry.partition}`);
        return writer === undefined ? [] : [{ ...entry, offset: writer.committable(entry.offset) }];
      });
    },
    async [Symbol.asyncDispose]() {
      clearInterval(ticking);
      const gone = all();
      writers.clear();
      await abandon(gone);
      await bucket[Symbol.asyncDispose]();
    },
  };
}

/** Waits for it, but not longer. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
