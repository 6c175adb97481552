/**
 * JSON that keeps every digit: numbers come with their text, and bigints go out as plain numbers.
 */
type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;

// Both are ES2026, in Node 24, and not yet in TypeScript's library.
const json = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown;
  rawJSON(text: string): object;
};

/** A number as it was written, for those who want its text. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Whole numbers as bigint, as the stores give them back. */
  value(): number | bigint {
    return /^-?\d+$/.test(this.text) ? BigInt(this.text) : Number(this.text);
  }
}

/** Every number comes as {@link NumberText}. Throws a SyntaxError. */
export function parseJson(text: string): unknown {
  return json.parse(text, (_key, value, context) => (typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value));
}

export function stringifyJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? json.rawJSON(item.toString()) : item));
}

/** What {@link parseJson} gave, as text again: numbers as they were written. */
export function rawNumbersJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (item instanceof NumberText ? json.rawJSON(item.text) : item));
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

/** As an error message names it. */
export function jsonKind(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof NumberText) return 'a number';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
