/** Dead letters as a reader of committed records sees them, held against what was poison. */
import { kcat } from '../services/kcat.ts';
import type { Placed } from './sink-input.ts';
import { until } from './until.ts';

export interface Letter {
  readonly partition: number;
  readonly offset: number;
  readonly headers: ReadonlyMap<string, string>;
}

const prefix = '__connect.errors.';

/** By kcat; nothing while the topic does not exist. */
export async function readLetters(brokers: readonly string[], topic: string): Promise<Letter[]> {
  let output = '';
  await until(`kcat reads ${topic}`, async () => {
    const args = ['-b', brokers.join(','), '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-J', '-X', 'isolation.level=read_committed'];
    output = await kcat(args);
    return true;
  });
  return output.split('\n').flatMap((line): Letter[] => {
    if (line === '') return [];
    const { partition, offset, headers = [] } = JSON.parse(line) as { partition: number; offset: number; headers?: string[] };
    const named = new Map<string, string>();
    for (let at = 0; at + 1 < headers.length; at += 2) named.set(headers[at] as string, headers[at + 1] as string);
    return [{ partition, offset, headers: named }];
  });
}

export interface Accounting {
  readonly letters: number;
  /** What is wrong, the first few of each kind. */
  readonly problems: string[];
}

export interface AccountOf {
  readonly connector: string;
  readonly topic: string;
  readonly sent: readonly Placed[];
  readonly letters: readonly Letter[];
  /** How often each id stands in the target. */
  readonly counts: Uint8Array;
}

/** Target + dead letters = input, each record once, and each letter says where it came from and why. */
export function account({ connector, topic, sent, letters, counts }: AccountOf): Accounting {
  const problems: string[] = [];
  const add = (problem: string): void => void (problems.length < 20 && problems.push(problem));
  const letterOf = new Map<string, Letter>();
  for (const letter of letters) {
    const header = (name: string): string => letter.headers.get(prefix + name) ?? `(no header ${name})`;
    const place = `${header('partition')}/${header('offset')}`;
    if (header('topic') !== topic || header('connector.name') !== connector)
      add(`a letter names topic ${header('topic')}, connector ${header('connector.name')}`);
    if (letterOf.has(place)) add(`${place} has two dead letters`);
    letterOf.set(place, letter);
  }
  for (const { id, partition, offset, poison } of sent) {
    const place = `${partition}/${offset}`;
    const letter = letterOf.get(place);
    letterOf.delete(place);
    const inTarget = counts[id] ?? 0;
    if (poison === undefined) {
      if (inTarget !== 1)
        add(`record ${id} (${place}) is in the target ${inTarget} times${letter === undefined ? '' : ', and a dead letter'}`);
      else if (letter !== undefined)
        add(`record ${id} (${place}) is in the target, and a dead letter: ${letter.headers.get(`${prefix}exception.message`)}`);
      continue;
    }
    const what = `poison ${id} (${place}, ${poison.kind})`;
    if (inTarget > 0) add(`${what} is in the target ${inTarget} times`);
    if (letter === undefined) {
      add(`${what} has no dead letter`);
      continue;
    }
    const stage = letter.headers.get(`${prefix}stage`);
    const message = letter.headers.get(`${prefix}exception.message`) ?? '';
    if (stage !== poison.stage) add(`${what}: stage ${stage} instead of ${poison.stage} (${message.slice(0, 200)})`);
    if (!poison.cause.test(message)) add(`${what}: the cause is told as "${message.slice(0, 300)}"`);
    if (!letter.headers.has(`${prefix}exception.stacktrace`) || !letter.headers.has(`${prefix}task.id`))
      add(`${what}: headers are missing`);
  }
  for (const place of letterOf.keys()) add(`a dead letter stands for ${place}, which nobody sent`);
  return { letters: letters.length, problems };
}
