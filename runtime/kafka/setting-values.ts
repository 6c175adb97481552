import { ConfigError } from '../api/index.ts';

export type Settings = Readonly<Record<string, string>>;

/** A whole number of at least `min`. Throws a ConfigError naming the key. */
export function integerOf(settings: Settings, key: string, fallback: number, min = 0): number {
  const text = settings[key]?.trim();
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
    throw new ConfigError(`${key}: "${text}" is no whole number of at least ${min}.`);
  }
  return value;
}

export function booleanOf(settings: Settings, key: string, fallback: boolean): boolean {
  const text = settings[key]?.trim().toLowerCase();
  if (text === undefined || text === '') return fallback;
  if (text !== 'true' && text !== 'false') throw new ConfigError(`${key}: "${text}" must be true or false.`);
  return text === 'true';
}

export function choiceOf<T extends string>(settings: Settings, key: string, choices: readonly T[], fallback: T): T {
  const text = settings[key]?.trim();
  if (text === undefined || text === '') return fallback;
  const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
  if (found === undefined) throw new ConfigError(`${key}: "${text}" must be one of ${choices.join(', ')}.`);
  return found;
}

export function listOf(settings: Settings, key: string): readonly string[] {
  return (settings[key] ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** The text, or undefined where it is absent or blank. */
export function textOf(settings: Settings, key: string): string | undefined {
  const text = settings[key];
  return text === undefined || text.trim() === '' ? undefined : text;
}
