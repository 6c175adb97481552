import type { ConnectRecord, Predicate, Transform } from '../api/index.ts';

/** One transform of a connector's chain, and when it applies. */
export interface ChainLink {
  readonly alias: string;
  readonly transform: Transform;
  readonly predicate?: Predicate | undefined;
  readonly negate: boolean;
}

/** A chain as one function: the first link that drops the record ends it. Undefined where there is nothing to do. */
export function composeChain(links: readonly ChainLink[]): Transform | undefined {
  if (links.length === 0) return undefined;
  return <R extends ConnectRecord>(record: R): R | null => {
    let current: R | null = record;
    for (const { transform, predicate, negate } of links) {
      if (predicate !== undefined && predicate(current) === negate) continue;
      current = transform(current);
      if (current === null) return null;
    }
    return current;
  };
}
