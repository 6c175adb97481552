/** Letters and reports as REST answers them, and as text for people. */
export interface ShownBytes {
  readonly text?: string;
  readonly base64?: string;
  /** The whole length, where not all of it is shown. */
  readonly cutFrom?: number;
}

export interface ShownPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset?: number;
}

export interface ShownLetter {
  readonly partition: number;
  readonly offset: number;
  readonly state: string;
  readonly timestamp: number;
  readonly origin: ShownPlace | null;
  readonly failure: Readonly<Record<string, string>>;
  readonly key: ShownBytes | null;
  readonly value: ShownBytes | null;
  readonly headers: readonly { readonly key: string; readonly value: ShownBytes | null }[];
  readonly outcome: {
    readonly at: string;
    readonly to?: ShownPlace;
    readonly by?: ShownPlace;
    readonly error?: string;
    readonly edited?: boolean;
    readonly forced?: boolean;
  } | null;
}

export interface ShownOutcome {
  readonly partition: number;
  readonly offset: number;
  readonly outcome: string;
  readonly state?: string;
  readonly to?: ShownPlace;
  readonly by?: ShownPlace;
  readonly reason?: string;
}

const longestCell = 60;

/** One line. */
export function letterLine({ partition, offset, state, origin, failure, key }: ShownLetter): string {
  const cells = [
    `${partition}:${offset}`,
    state,
    failure['stage'] ?? '-',
    origin === null ? '-' : placeText(origin),
    key === null ? '-' : oneLine(bytesText(key), longestCell),
    oneLine(failure['exception.message'] ?? '', 2 * longestCell),
  ];
  return `${cells.join('  ').trimEnd()}\n`;
}

export function letterText(letter: ShownLetter): string {
  const { partition, offset, state, timestamp, origin, failure, key, value, headers, outcome } = letter;
  const lines: [string, string][] = [
    ['letter', `${partition}:${offset}`],
    ['state', state],
    ...(outcome === null ? [] : [['outcome', outcomeText(outcome)] satisfies [string, string]]),
    ['time', new Date(timestamp).toISOString()],
    ...(origin === null ? [] : [['came from', placeText(origin)] satisfies [string, string]]),
    ...Object.entries(failure).filter(([name]) => !/^(topic|partition|offset|exception\.stacktrace)$/.test(name)),
    ['key', key === null ? 'null' : bytesText(key)],
    ...headers.map((header): [string, string] => [`header ${header.key}`, header.value === null ? 'null' : bytesText(header.value)]),
    ['value', value === null ? 'null' : bytesText(value)],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const trace = failure['exception.stacktrace'];
  return `${lines.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('')}${trace === undefined ? '' : `\n${trace.trimEnd()}\n`}`;
}

function outcomeText({ at, to, by, error, edited, forced }: NonNullable<ShownLetter['outcome']>): string {
  const parts = [at, to && `to ${placeText(to)}`, by && `overtaken by ${placeText(by)}`, edited && 'edited', forced && 'forced', error];
  return parts.filter(Boolean).join(', ');
}

export function reportLine({ partition, offset, outcome, state, to, by, reason }: ShownOutcome, dryRun: boolean): string {
  const would = dryRun && /^(resubmitted|discarded)$/.test(outcome) ? 'would be ' : '';
  const more = [
    to && `to ${placeText(to)}`,
    by && `overtaken by ${placeText(by)}`,
    outcome === 'unchanged' && `it is ${state} already`,
    reason,
  ];
  const text = more.filter(Boolean).join(', ');
  return `${partition}:${offset}  ${would}${outcome}${text === '' ? '' : `: ${text}`}\n`;
}

const placeText = ({ topic, partition, offset }: ShownPlace): string =>
  offset === undefined ? `${topic}-${partition}` : `${topic}-${partition}@${offset}`;

function bytesText({ text, base64, cutFrom }: ShownBytes): string {
  return `${text ?? `base64 ${base64 ?? ''}`}${cutFrom === undefined ? '' : `… (${cutFrom} bytes)`}`;
}

function oneLine(text: string, longest: number): string {
  const flat = text.replace(/\s+/g, ' ');
  return flat.length <= longest ? flat : `${flat.slice(0, longest - 1)}…`;
}
