/** Resubmits and discards: chooses letters, finds out which are superseded, and writes them in chunks with the ledger. */
import { DataError } from '../api/index.ts';
import type { Log } from '../ports/log.ts';
import { resubmittedHeaders } from '../ports/dead-letters.ts';
import type {
  DiscardRequest,
  LedgerEntry,
  LetterEdit,
  LetterHeader,
  LetterOutcome,
  LetterPlace,
  LetterReport,
  ResubmitRequest,
} from '../ports/dead-letters.ts';
import { choose } from './choice.ts';
import type { Chosen } from './choice.ts';
import { createChunks } from './chunk.ts';
import type { Chunks } from './chunk.ts';
import type { Ledger } from './ledger.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import { encodeKey } from './ledger-entry.ts';
import { nameOf, ownHeaders } from './letter.ts';
import type { Letter } from './letter.ts';
import type { OutgoingRecord } from './outgoing.ts';
import { findOvertakers } from './overtaken.ts';
import type { Overtaker } from './overtaken.ts';
import { planOf } from './plan.ts';
import type { Plan, PlanParts } from './plan.ts';
import { inOrder } from './queue.ts';
import type { Queue } from './queue.ts';

/** Of a request's time: a filter chooses for so long, and so long letters are written; what is left is for the next request. */
const choosingMs = 15_000;
const writingMs = 60_000;

export interface Session {
  readonly log: Log;
  readonly clientId: string;
  readonly connector: string;
  /** The dead-letter topic, and its id. */
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: number;
  readonly queue: Queue;
  readonly ledger: Ledger;
  /** Undefined for a dry run. */
  readonly writer: LedgerWriter | undefined;
  readonly signal: AbortSignal;
}

export type Resubmission = Omit<PlanParts, 'target' | 'force'> & Pick<ResubmitRequest, 'selection' | 'target' | 'force'>;

export async function resubmit(session: Session, request: Resubmission): Promise<LetterReport> {
  const { queue, connector, topic, writer } = session;
  const { selection, target, force } = request;
  const beganMs = performance.now();
  const choice = await choose(
    {
      queue,
      states: await session.ledger.states(),
      untilMs: beganMs + choosingMs,
      plan: (letter, edit) => planOf(letter, edit, request),
    },
    selection,
  );
  const outcomes: LetterOutcome[] = [...choice.outcomes];
  const chunks = createChunks({ ...session, done: (outcome) => outcomes.push(outcome) });
  const overtaker = await overtakerOf(session, choice.chosen);
  const entry = (of: Pick<LedgerEntry, 'state'> & Partial<LedgerEntry>): LedgerEntry => ({ atMs: Date.now(), connector, target, ...of });

  const going = new Map<string, Chosen<Plan>>();
  for (const each of choice.chosen) {
    const { partition, offset, state, plan } = each;
    const held = (reason: string): void => void outcomes.push({ partition, offset, outcome: 'held', state, reason });
    if (state === 'discarded' && !force) held('it was discarded.');
    else if (state === 'overtaken' && !force) held('the target has something later in its place.');
    else if (plan.kind === 'failed') await chunks.note(each, entry({ state: 'failed', error: plan.reason }));
    else if (state === 'superseded' && !force) outcomes.push({ partition, offset, outcome: 'superseded' });
    else if (plan.kind === 'held') held(plan.reason);
    else {
      const by = plan.suspect && overtaker(plan.suspect);
      if (by === undefined) going.set(nameOf(each), each);
      else await chunks.note(each, entry({ state: 'superseded', by }));
    }
  }

  const isDryRun = writer === undefined;
  let last: LetterPlace | undefined;
  for await (const letter of queue.at([...going.values()])) {
    if (last !== undefined && 'filter' in selection && performance.now() - beganMs > writingMs) {
      await chunks.flush();
      const reached = last;
      // What comes behind is told of when it is asked for.
      return { topic, outcomes: outcomes.filter((each) => inOrder(each, reached) <= 0), dryRun: isDryRun, next: reached };
    }
    const chosen = going.get(nameOf(letter));
    if (chosen?.plan.kind !== 'send') continue;
    going.delete(nameOf(letter));
    const { plan, edit, state } = chosen;
    const sent = entry({
      state: 'resubmitted',
      ...(edit !== undefined && { edited: true }),
      ...(force && state !== 'new' && state !== 'failed' && { forced: true }),
    });
    await send(chunks, letter, outgoingOf(letter, edit, plan, target === 'sink' ? session : undefined), plan, sent);
    last = { partition: letter.partition, offset: letter.offset };
  }
  await chunks.flush();
  for (const { partition, offset } of going.values()) outcomes.push({ partition, offset, outcome: 'missing' });
  return { topic, outcomes: outcomes.toSorted(inOrder), dryRun: isDryRun, ...(choice.next && { next: choice.next }) };
}

async function send(
  chunks: Chunks,
  letter: Letter,
  record: OutgoingRecord,
  { to }: Extract<Plan, { kind: 'send' }>,
  entry: LedgerEntry,
): Promise<void> {
  try {
    await chunks.send(letter, record, to, entry);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    await chunks.note(letter, { ...entry, state: 'failed', error: error.message });
  }
}

/** Without suspects nothing is read. */
async function overtakerOf({ log, clientId, signal }: Session, chosen: readonly Chosen<Plan>[]): Promise<Overtaker> {
  const suspects = chosen.flatMap(({ plan, state }) =>
    plan.kind === 'send' && plan.suspect !== undefined && state !== 'superseded' && state !== 'discarded' ? [plan.suspect] : [],
  );
  return suspects.length === 0 ? () => undefined : findOvertakers(log, clientId, suspects, signal);
}

function outgoingOf(
  letter: Letter,
  edit: LetterEdit | undefined,
  { to, partition }: Extract<Plan, { kind: 'send' }>,
  straight: Pick<Session, 'topic' | 'topicId'> | undefined,
): OutgoingRecord {
  const { record } = letter;
  const headers = edit?.headers ?? ownHeaders(record.headers);
  return {
    topic: to.topic,
    partition,
    key: edit?.key === undefined ? record.key : edit.key,
    value: edit?.value === undefined ? record.value : edit.value,
    headers: straight === undefined ? headers : [...headers, ...firstPlace(letter, straight)],
    timestampMs: record.timestamp < to.oldestMs ? Date.now() : record.timestamp,
  };
}

function firstPlace(
  { origin, partition: at, offset: standing }: Letter,
  { topic: queue, topicId }: Pick<Session, 'topic' | 'topicId'>,
): LetterHeader[] {
  if (origin === undefined) return [];
  const { topic, partition, offset, letter } = resubmittedHeaders;
  return [
    { key: topic, value: Buffer.from(origin.topic) },
    { key: partition, value: Buffer.from(String(origin.partition)) },
    { key: offset, value: Buffer.from(String(origin.offset)) },
    { key: letter, value: encodeKey({ topic: queue, topicId, partition: at, offset: standing }) },
  ];
}

export async function discard(session: Session, { selection }: Pick<DiscardRequest, 'selection'>): Promise<LetterReport> {
  const { queue, ledger, connector, writer } = session;
  const choice = await choose(
    { queue, states: await ledger.states(), untilMs: performance.now() + choosingMs, plan: () => undefined },
    selection,
  );
  const outcomes: LetterOutcome[] = [...choice.outcomes];
  const chunks = createChunks({ ...session, done: (outcome) => outcomes.push(outcome) });
  for (const each of choice.chosen) {
    const { partition, offset, state } = each;
    if (state === 'discarded') outcomes.push({ partition, offset, outcome: 'unchanged', state });
    else await chunks.note(each, { state: 'discarded', atMs: Date.now(), connector });
  }
  await chunks.flush();
  return {
    topic: session.topic,
    outcomes: outcomes.toSorted(inOrder),
    dryRun: writer === undefined,
    ...(choice.next && { next: choice.next }),
  };
}
