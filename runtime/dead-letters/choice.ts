/** Which letters a request means. */
import type { LetterEdit, LetterFilter, LetterOutcome, LetterPlace, LetterSelection, LetterState } from '../ports/dead-letters.ts';
import { hasState, nameOf } from './letter.ts';
import type { Letter } from './letter.ts';
import type { LetterStates } from './letter-states.ts';
import type { Queue } from './queue.ts';

/** What is kept of a letter until it is written: not its bytes. */
export interface Chosen<Plan> extends LetterPlace {
  readonly state: LetterState;
  readonly edit: LetterEdit | undefined;
  readonly plan: Plan;
}

export interface Choice<Plan> {
  readonly chosen: readonly Chosen<Plan>[];
  /** Of those that nothing is to be done with. */
  readonly outcomes: readonly LetterOutcome[];
  readonly next: LetterPlace | undefined;
}

export interface ChoiceParts<Plan> {
  readonly queue: Queue;
  readonly states: LetterStates;
  /** By `performance.now()`: a filter looks at no more letters from then on. */
  readonly untilMs: number;
  /** Asked while the letter's bytes are there. */
  plan(letter: Letter, edit: LetterEdit | undefined): Promise<Plan> | Plan;
}

/** States that a filter means which names none: those that something may yet become of. */
const unfinished: readonly LetterState[] = ['new', 'failed', 'superseded'];

export async function choose<Plan>(parts: ChoiceParts<Plan>, selection: LetterSelection): Promise<Choice<Plan>> {
  const { queue, states, untilMs, plan } = parts;
  const chosen: Chosen<Plan>[] = [];
  const outcomes: LetterOutcome[] = [];
  const take = async (letter: Letter, edit: LetterEdit | undefined): Promise<void> => {
    const { partition, offset } = letter;
    const state = states.state(letter);
    if (state === 'resubmitted') outcomes.push({ partition, offset, outcome: 'unchanged', state });
    else chosen.push({ partition, offset, state, edit, plan: await plan(letter, edit) });
  };
  if ('letters' in selection) {
    const wanted = new Map(selection.letters.map((each) => [nameOf(each), each]));
    for await (const letter of queue.at([...wanted.values()])) {
      await take(letter, wanted.get(nameOf(letter))?.edit);
      wanted.delete(nameOf(letter));
    }
    for (const { partition, offset } of wanted.values()) outcomes.push({ partition, offset, outcome: 'missing' });
    return { chosen, outcomes, next: undefined };
  }
  const { filter, limit, after } = selection;
  const wanted: LetterFilter = { ...filter, states: filter.states ?? unfinished };
  let next: LetterPlace | undefined;
  const enough = ({ partition, offset }: LetterPlace): boolean => {
    if (chosen.length + outcomes.length < limit && performance.now() < untilMs) return false;
    next = { partition, offset };
    return true;
  };
  for await (const letter of queue.find(wanted, after, enough)) {
    if (hasState(wanted, states.state(letter))) await take(letter, undefined);
  }
  return { chosen, outcomes, next };
}
