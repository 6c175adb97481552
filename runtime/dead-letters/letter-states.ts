import { letterStates } from '../ports/dead-letters.ts';
import type { LetterPlace, LetterState } from '../ports/dead-letters.ts';

const chunkSize = 512n;
const perOffset = letterStates.length;

/**
 * The state of every letter that is not new, and where its ledger entry stands: eight bytes for each, since letters that
 * something became of mostly stand side by side.
 */
export class LetterStates {
  readonly #chunks = new Map<string, Float64Array>();

  set({ partition, offset }: LetterPlace, state: LetterState, ledgerOffset: bigint): void {
    const name = chunkName(partition, offset);
    let chunk = this.#chunks.get(name);
    if (chunk === undefined) this.#chunks.set(name, (chunk = new Float64Array(Number(chunkSize))));
    // A double holds whole numbers of 53 bits: of a ledger's offsets that is enough.
    chunk[Number(offset % chunkSize)] = (Number(ledgerOffset) * perOffset + letterStates.indexOf(state)) as number;
  }

  state(place: LetterPlace): LetterState {
    return letterStates[this.#number(place) % perOffset] as LetterState;
  }

  /** Where its entry stands in the ledger; undefined for a new one. */
  ledgerOffset(place: LetterPlace): bigint | undefined {
    const number = this.#number(place);
    return number % perOffset === 0 ? undefined : BigInt(Math.floor(number / perOffset));
  }

  #number({ partition, offset }: LetterPlace): number {
    return this.#chunks.get(chunkName(partition, offset))?.[Number(offset % chunkSize)] ?? 0;
  }
}

const chunkName = (partition: number, offset: bigint): string => `${partition}/${offset / chunkSize}`;
