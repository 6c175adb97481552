import { Secret } from '../api/index.ts';
import type { ConfigKey, ConfigType } from '../api/index.ts';

/** The parsed value, or what is wrong with the text (in Connect's words). */
export type Parsed = { readonly value: unknown } | { readonly error: string };

const wholeRanges: Partial<Record<ConfigType, readonly [bigint, bigint]>> = {
  short: [-0x8000n, 0x7fffn],
  int: [-0x8000_0000n, 0x7fff_ffffn],
  long: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
};

/** Parses a config text as Connect does (ConfigDef.parseType): trimmed, numbers in their range, lists split at commas. */
export function parseConfigValue(type: ConfigType, text: string): Parsed {
  const trimmed = text.trim();
  switch (type) {
    case 'boolean': {
      const lower = trimmed.toLowerCase();
      if (lower === 'true' || lower === 'false') return { value: lower === 'true' };
      return { error: 'Expected value to be either true or false' };
    }
    case 'short':
    case 'int':
    case 'long': {
      const range = wholeRanges[type];
      const value = /^[+-]?\d{1,19}$/.test(trimmed) ? BigInt(trimmed.replace('+', '')) : undefined;
      if (value === undefined || range === undefined || value < range[0] || value > range[1]) {
        return { error: `Not a number of type ${type.toUpperCase()}` };
      }
      return { value: Number(value) };
    }
    case 'double': {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed) ? Number(trimmed) : NaN;
      return Number.isNaN(value) ? { error: 'Not a number of type DOUBLE' } : { value };
    }
    case 'list':
      return { value: trimmed === '' ? [] : trimmed.split(/\s*,\s*/) };
    case 'password':
      return { value: new Secret(trimmed) };
    case 'string':
    case 'class':
      return { value: trimmed };
  }
}

/** A key's default as a parsed value; undefined where the key is required. */
export function defaultValue({ type, default: fallback }: ConfigKey): unknown {
  if (fallback === undefined || fallback === null) return fallback;
  return type === 'password' ? new Secret(String(fallback)) : fallback;
}

/** A parsed value as REST shows it (ConfigDef.convertToString). */
export function configText(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return Array.isArray(value) ? value.join(',') : String(value);
}
