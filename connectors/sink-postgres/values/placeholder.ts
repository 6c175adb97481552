/** Values that stand for one that PostgreSQL did not send, since it did not change. Source: Debezium's UnchangedToastedPlaceholder. */
import { createHash } from 'node:crypto';

interface Forms {
  /** Lengths first: hashing every text would cost more than all the rest. */
  readonly lengths: ReadonlySet<number>;
  readonly texts: ReadonlySet<string>;
  readonly bytes: Buffer;
  readonly uuid: string;
}

const known = new Map<string, Forms>();

function formsOf(placeholder: string): Forms {
  let forms = known.get(placeholder);
  if (forms === undefined) {
    const bytes = Buffer.from(placeholder);
    const base64 = bytes.toString('base64');
    const texts = new Set([
      placeholder,
      base64,
      base64.replaceAll('+', '-').replaceAll('/', '_'),
      JSON.stringify({ [placeholder]: placeholder }),
    ]);
    forms = { texts, lengths: new Set([...texts].map((text) => text.length)), bytes, uuid: nameUuid(bytes) };
    known.set(placeholder, forms);
  }
  return forms;
}

export function isPlaceholder(value: unknown, placeholder: string): boolean {
  if (typeof value === 'string') {
    const forms = formsOf(placeholder);
    return forms.lengths.has(value.length) && forms.texts.has(value);
  }
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof Uint8Array) return formsOf(placeholder).bytes.equals(value);
  if (value instanceof Map) return value.size === 1 && value.get(placeholder) === placeholder;
  return Array.isArray(value) && isPlaceholderArray(value, placeholder);
}

/** One item that stands for all, or the placeholder's characters as numbers. */
function isPlaceholderArray(items: readonly unknown[], placeholder: string): boolean {
  const [first] = items;
  const forms = formsOf(placeholder);
  if (items.length === 1)
    return first === forms.uuid || ((typeof first === 'string' || first instanceof Uint8Array) && isPlaceholder(first, placeholder));
  return items.length === forms.bytes.length && items.every((item, at) => Number(item) === forms.bytes[at] && typeof item !== 'string');
}

/** java.util.UUID.nameUUIDFromBytes. */
function nameUuid(bytes: Buffer): string {
  const hash = createHash('md5').update(bytes).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x30;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
