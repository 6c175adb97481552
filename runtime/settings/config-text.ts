/** Config files: Java's `.properties`, or JSON. */
import { readFile } from 'node:fs/promises';

import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { parseProperties } from './java-properties.ts';

export type ConfigText =
  | { readonly kind: 'properties'; readonly config: RawConfig }
  | { readonly kind: 'json'; readonly value: JsonObject };
export type JsonObject = Readonly<Record<string, unknown>>;

/** JSON when the text begins like it, whatever the file's name; properties otherwise. Throws a ConfigError naming the file. */
export async function readConfigText(file: string): Promise<ConfigText> {
  const text = await textOf(file);
  if (!/^\uFEFF?\s*[{[]/.test(text)) {
    try {
      return { kind: 'properties', config: parseProperties(text) };
    } catch (error) {
      throw new ConfigError(`${file}: ${(error as Error).message}`, { cause: error });
    }
  }
  const value = parseJson(text.replace(/^\uFEFF/, ''), file);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`${file}: holds a JSON array, but one object is wanted. Put each connector in a file of its own.`);
  }
  return { kind: 'json', value: value as JsonObject };
}

/** Numbers and booleans become the text they were written as, as Connect takes them. */
export function stringValues(object: JsonObject, file: string): RawConfig {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      if (typeof value === 'string') return [key, value];
      if (value instanceof NumberText) return [key, value.text];
      if (typeof value === 'boolean') return [key, String(value)];
      const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
      throw new ConfigError(
        `${file}: the value of "${key}" is ${found}, but must be a string. Write a list as "a,b", and leave out what has no value.`,
      );
    }),
  );
}

class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

// The reviver's third parameter is ES2026, in Node 24, and not yet in TypeScript's library.
type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

function parseJson(text: string, file: string): unknown {
  const reviver: Reviver = (_key, value, context) => (typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value);
  try {
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
  } catch (error) {
    throw new ConfigError(`${file}: is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : `it cannot be read (${code})`;
    throw new ConfigError(`${file}: ${why}.`, { cause: error });
  }
}
