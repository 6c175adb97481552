import type { ConfigRule } from '@millrace/runtime/api';

export const oneOf = (...values: string[]): ConfigRule => ({ kind: 'one-of', values, ignoreCase: true });
export const atLeast = (min: number): ConfigRule => ({ kind: 'range', min });
export const check = (test: (text: string) => string | undefined): ConfigRule => ({
  kind: 'custom',
  check: (value) => (value === null || value === undefined ? undefined : test(String(value))),
});
