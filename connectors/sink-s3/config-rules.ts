import type { ConfigRule } from '@millrace/runtime/api';
import { isTimeZone } from './partitioning/time-zone.ts';

export const atLeast = (min: number): ConfigRule => ({ kind: 'range', min });

export const oneOf = (...values: string[]): ConfigRule => ({ kind: 'one-of', values, ignoreCase: true });

/** A positive number, or -1 for off. */
export const positiveOrOff: ConfigRule = {
  kind: 'custom',
  check: (value) => (typeof value !== 'number' || value > 0 || value === -1 ? undefined : 'write a number above 0, or -1 to turn it off'),
};

/** A codec that the peer has and that no library here writes is refused by its name. */
export function codec(known: readonly string[], missing: readonly string[]): ConfigRule {
  return {
    kind: 'custom',
    check(value) {
      if (typeof value !== 'string' || known.includes(value)) return undefined;
      if (missing.includes(value)) return `codec ${value} cannot be written here; choose one of ${known.join(', ')}`;
      return `choose one of ${known.join(', ')}`;
    },
  };
}

export const timeZoneRule: ConfigRule = {
  kind: 'custom',
  check(value) {
    if (typeof value !== 'string' || value === '' || isTimeZone(value)) return undefined;
    return `time zone ${value} is unknown: write a long name such as Europe/Paris, UTC, or an offset such as +01:00`;
  },
};

export const fieldNames: ConfigRule = {
  kind: 'custom',
  check(value) {
    const names = Array.isArray(value) ? (value as string[]) : [];
    const bad = names.find((name) => name.split('.').some((part) => part.trim() === ''));
    return bad === undefined ? undefined : `"${bad}" has an empty part: write field names, the parts of nested ones joined by dots`;
  },
};
