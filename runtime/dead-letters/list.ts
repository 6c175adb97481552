/** Letters to be shown, with what became of them. */
import type { DeadLetter, LetterPage, LetterPlace, ListQuery } from '../ports/dead-letters.ts';
import { hasState, nameOf, ownHeaders } from './letter.ts';
import type { Letter } from './letter.ts';
import type { LetterStates } from './letter-states.ts';
import { findOvertakers, keyId } from './overtaken.ts';
import type { Suspect } from './overtaken.ts';
import type { Session } from './resubmission.ts';

/** A page is looked for so long; then what was found is a page, too. */
const searchingMs = 15_000;
/** A page holds so much, or one letter. */
const pageBytes = 8 << 20;

export type Looking = Omit<Session, 'writer'>;

export async function listLetters(looking: Looking, { filter, limit, after, check = false }: ListQuery): Promise<LetterPage> {
  const { queue, ledger, topic } = looking;
  const states = await ledger.states();
  const untilMs = performance.now() + searchingMs;
  const found: DeadLetter[] = [];
  let bytes = 0;
  let next: LetterPlace | undefined;
  const enough = ({ partition, offset }: LetterPlace): boolean => {
    if (found.length < limit && bytes < pageBytes && performance.now() < untilMs) return false;
    next = { partition, offset };
    return true;
  };
  for await (const letter of queue.find(filter, after, enough)) {
    // One that is checked may turn out to be superseded.
    const maybe = check && states.state(letter) === 'new' && hasState(filter, 'superseded');
    if (!maybe && !hasState(filter, states.state(letter))) continue;
    const shown = shownLetter(letter, states);
    found.push(shown);
    bytes += sizeOf(shown);
  }
  const letters = await withEnds(looking, states, found, check);
  return { topic, letters: letters.filter(({ state }) => hasState(filter, state)), ...(next && { next }) };
}

/** Undefined for one that is not there. */
export async function getLetter(looking: Looking, place: LetterPlace): Promise<DeadLetter | undefined> {
  const states = await looking.ledger.states();
  for await (const letter of looking.queue.at([place])) {
    return (await withEnds(looking, states, [shownLetter(letter, states)], true))[0];
  }
  return undefined;
}

/** With copies: the letter's bytes are views of a whole fetch. */
function shownLetter(letter: Letter, states: LetterStates): DeadLetter {
  const { partition, offset, record, origin, failure } = letter;
  const copy = (bytes: Buffer | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes));
  return {
    partition,
    offset,
    timestampMs: record.timestamp,
    key: copy(record.key),
    value: copy(record.value),
    headers: ownHeaders(record.headers).map(({ key, value }) => ({ key, value: copy(value) })),
    origin,
    failure,
    state: states.state(letter),
  };
}

function sizeOf({ key, value, headers, failure }: DeadLetter): number {
  const context = Object.values(failure).reduce((sum, text) => sum + text.length, 0);
  return 256 + (key?.length ?? 0) + (value?.length ?? 0) + context + headers.reduce((sum, header) => sum + (header.value?.length ?? 0), 0);
}

async function withEnds(
  { log, clientId, connector, ledger, signal }: Looking,
  states: LetterStates,
  letters: readonly DeadLetter[],
  check: boolean,
): Promise<DeadLetter[]> {
  const entries = await ledger.entries(states, letters);
  const suspectOf = ({ state, origin, key }: DeadLetter): Suspect | undefined => {
    if (!check || state !== 'new' || origin === undefined || origin.offset < 0n || key === null) return undefined;
    return { origin, key: keyId(Buffer.from(key)) };
  };
  const suspects = letters.flatMap((letter) => suspectOf(letter) ?? []);
  const overtaker = suspects.length === 0 ? () => undefined : await findOvertakers(log, clientId, suspects, signal);
  return letters.map((letter) => {
    const entry = entries.get(nameOf(letter));
    if (entry !== undefined) return { ...letter, entry };
    const suspect = suspectOf(letter);
    const by = suspect && overtaker(suspect);
    if (by === undefined) return letter;
    return { ...letter, state: 'superseded', entry: { state: 'superseded', atMs: Date.now(), connector, by } };
  });
}
