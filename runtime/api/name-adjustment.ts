/**
 * Names of schemas and fields that Avro takes. Source: io.debezium.schema.SchemaNameAdjuster,
 * FieldNameUnderscoreReplacementFunction, UnicodeReplacementFunction.
 */
export type AdjustmentMode = 'none' | 'avro' | 'avro_unicode';

/** `schema` names may hold dots, those of a `field` not. `avro` puts an underscore for what Avro does not take; `avro_unicode` writes `_u` and its code, for underscores too. */
export function nameAdjuster(mode: AdjustmentMode, what: 'schema' | 'field'): (name: string) => string {
  if (mode === 'none') return (name) => name;
  const letters = mode === 'avro' ? 'A-Za-z_' : 'A-Za-z';
  // Only schemas have a namespace.
  const rest = what === 'schema' ? `${letters}0-9.` : `${letters}0-9`;
  const wrong = new RegExp(`[^${rest}]`, 'g');
  const wrongFirst = new RegExp(`^[^${letters}]`);
  if (mode === 'avro_unicode') {
    return (name) => name.slice(0, 1).replace(wrongFirst, unicodeEscape) + name.slice(1).replace(wrong, unicodeEscape);
  }
  // A digit at the start stays, behind an underscore.
  const first = (char: string): string => (/\p{Nd}/u.test(char) ? `_${char}` : '_');
  return (name) => name.slice(0, 1).replace(wrongFirst, first) + name.slice(1).replace(wrong, '_');
}

/** As Debezium: two digits are filled up to four, others are not. */
export function unicodeEscape(char: string): string {
  const hex = char.charCodeAt(0).toString(16);
  return `_u${hex.length <= 2 ? '00' : ''}${hex}`;
}
