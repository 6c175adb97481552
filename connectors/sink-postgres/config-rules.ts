import type { ConfigRule } from '@millrace/runtime/api';

export const oneOf = (...values: string[]): ConfigRule => ({ kind: 'one-of', values, ignoreCase: true });
export const atLeast = (min: number): ConfigRule => ({ kind: 'range', min });
export const check = (test: (text: string) => string | undefined): ConfigRule => ({
  kind: 'custom',
  check: (value) => (value === null || value === undefined ? undefined : test(String(value))),
});

export const timeZone = check((text) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return undefined;
  } catch {
    return `"${text}" is no time zone; write one such as UTC or Europe/Berlin`;
  }
});

/** A class of the JVM's that only its default can be. */
export const onlyDefault = (name: string, instead: string): ConfigRule =>
  check((text) => (text === '' || text === name ? undefined : `"${text}" is a Java class, which cannot run here. ${instead}`));
