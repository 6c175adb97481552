/** A recording of Debezium that ours is compared with, and how it came about. */
export interface Scenario {
  readonly name: string;
  readonly config: string;
  /** Run before the connector starts, and while it streams. */
  readonly scripts: readonly [before: readonly (() => string)[], streaming: readonly (() => string)[]];
  readonly snapshot?: string;
  readonly stream?: string;
  /** The recorded database held more rows than the scripts make: compare by key. */
  readonly loose?: boolean;
  /** Why Debezium's task stopped before the end: ours may have more of each topic. */
  readonly died?: string;
  /** Why it is not replayed with debezium.bug.compatible. */
  readonly defaultOnly?: string;
}

/** A difference that is meant. */
export interface Known {
  readonly scenario: RegExp;
  readonly difference: RegExp;
  /** Why ours are otherwise, and better. */
  readonly why: string;
  /** Why they are so with debezium.bug.compatible, too; absent where that gives what Debezium writes. */
  readonly always?: string;
}
