import type { ConnectRecord, Predicate, Transform } from '../api/index.ts';
import { StageError } from './stage-error.ts';

/** One transform of a connector's chain, and when it applies. */
export interface ChainLink {
  readonly alias: string;
  /** The JVM class that the transform stands in for. */
  readonly class: string;
  readonly transform: Transform;
  readonly predicate?: Predicate | undefined;
  readonly negate: boolean;
}

/**
 * A chain as one function: the first link that drops the record ends it. Throws a StageError around what a link throws.
 * Undefined where there is nothing to do.
 */
export function composeChain(links: readonly ChainLink[]): Transform | undefined {
  if (links.length === 0) return undefined;
  return <R extends ConnectRecord>(record: R): R | null => {
    let current: R | null = record;
    let at: ChainLink | undefined;
    try {
      for (const link of links) {
        const { transform, predicate, negate } = (at = link);
        if (predicate !== undefined && predicate(current) === negate) continue;
        current = transform(current);
        if (current === null) return null;
      }
    } catch (error) {
      throw new StageError('TRANSFORMATION', error, at?.class);
    }
    return current;
  };
}
