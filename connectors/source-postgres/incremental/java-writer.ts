/** Writes a key as Java's ObjectOutputStream writes an Object[]. Source: Java Object Serialization Specification, chapter 6. */
import { ConnectError } from '@millrace/runtime/api';

import { javaClasses } from './java-classes.ts';
import { instantOf } from './java-dates.ts';
import type { Key, KeyValue } from './java-values.ts';

const tc = {
  null: 0x70,
  reference: 0x71,
  classDesc: 0x72,
  object: 0x73,
  string: 0x74,
  array: 0x75,
  block: 0x77,
  end: 0x78,
  longString: 0x7c,
};
const firstHandle = 0x7e0000;

/** In hex; null is Java's null. Throws a ConnectError for a value that Java could not hold. */
export function writeKey(key: Key | null): string {
  const out = new ObjectWriter();
  if (key === null) out.byte(tc.null);
  else {
    out.array('[Ljava.lang.Object;', key.length);
    for (const value of key) writeValue(out, value);
  }
  return out.hex();
}

function writeValue(out: ObjectWriter, value: KeyValue | null): void {
  if (value === null) return out.byte(tc.null);
  const { text } = value;
  switch (value.type) {
    case 'integer':
      return out.object('java.lang.Integer', () => out.int(Number(text)));
    case 'long':
      return out.object('java.lang.Long', () => out.long(BigInt(text)));
    case 'float':
      return out.object('java.lang.Float', () => out.bytes(floatBytes(4, text)));
    case 'double':
      return out.object('java.lang.Double', () => out.bytes(floatBytes(8, text)));
    case 'boolean':
      return out.object('java.lang.Boolean', () => out.byte(text === 't' || text === 'true' ? 1 : 0));
    case 'string':
      return out.string(text);
    case 'short':
      return out.object('java.lang.Integer', () => out.int(Number(text)));
    case 'bytes':
      return out.byteArray(Buffer.from(text.replace(/^\\x/, ''), 'hex'));
    case 'uuid': {
      const digits = text.replaceAll('-', '');
      return out.object('java.util.UUID', () => {
        out.bytes(Buffer.from(digits.slice(16), 'hex'));
        out.bytes(Buffer.from(digits.slice(0, 16), 'hex'));
      });
    }
    case 'decimal':
      return out.object('io.debezium.data.SpecialValueDecimal', () => {
        writeDecimal(out, text);
        out.byte(tc.null);
      });
    case 'date': {
      const { ms } = instantOf(text);
      return out.object('java.sql.Date', () => out.millis(ms));
    }
    case 'timestamp': {
      const { ms, nanos } = instantOf(text);
      return out.object('java.sql.Timestamp', () => {
        // Java keeps the fraction apart.
        out.millis(ms - BigInt(Math.floor(nanos / 1e6)));
        out.int(nanos);
      });
    }
    case 'pgobject':
      return out.object('org.postgresql.util.PGobject', () => {
        out.string(value.pgType ?? '');
        out.string(text);
      });
  }
}

function writeDecimal(out: ObjectWriter, text: string): void {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) throw new ConnectError(`the key value ${text} is no number: an incremental snapshot cannot go on from it.`);
  const [, sign, whole = '', fraction = ''] = match;
  const digits = BigInt(whole + fraction);
  const hex = digits === 0n ? '' : digits.toString(16);
  out.object('java.math.BigDecimal', () => {
    out.int(fraction.length);
    out.object('java.math.BigInteger', () => {
      for (const unused of [-1, -1, -2, -2]) out.int(unused);
      out.int(digits === 0n ? 0 : sign === '-' ? -1 : 1);
      out.byteArray(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
      out.byte(tc.end);
    });
    out.byte(tc.end);
  });
}

function floatBytes(length: 4 | 8, text: string): Buffer {
  const bytes = Buffer.alloc(length);
  const value = Number(text);
  if (length === 4) bytes.writeFloatBE(value);
  else bytes.writeDoubleBE(value);
  return bytes;
}

class ObjectWriter {
  readonly #parts: Buffer[] = [Buffer.from('aced0005', 'hex')];
  /** Class descriptions and signatures that were written, by their handles. */
  readonly #handles = new Map<string, number>();
  #next = firstHandle;

  hex(): string {
    return Buffer.concat(this.#parts).toString('hex');
  }

  byte(value: number): void {
    this.#parts.push(Buffer.of(value));
  }

  bytes(value: Buffer): void {
    this.#parts.push(value);
  }

  int(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    this.#parts.push(bytes);
  }

  long(value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    this.#parts.push(bytes);
  }

  /** The data of a java.util.Date. */
  millis(ms: bigint): void {
    this.bytes(Buffer.of(tc.block, 8));
    this.long(ms);
    this.byte(tc.end);
  }

  /** Fields of superclasses first, as `data` writes them. */
  object(name: string, data: () => void): void {
    this.byte(tc.object);
    this.#classDesc(name);
    this.#next++;
    data();
  }

  array(name: string, length: number): void {
    this.byte(tc.array);
    this.#classDesc(name);
    this.#next++;
    this.int(length);
  }

  byteArray(value: Buffer): void {
    this.array('[B', value.length);
    this.bytes(value);
  }

  string(value: string): void {
    const bytes = modifiedUtf8(value);
    this.#next++;
    if (bytes.length > 0xffff) {
      this.byte(tc.longString);
      this.long(BigInt(bytes.length));
    } else {
      this.byte(tc.string);
      this.#short(bytes.length);
    }
    this.bytes(bytes);
  }

  #classDesc(name: string | undefined): void {
    if (name === undefined) return this.byte(tc.null);
    if (this.#refer(name)) return;
    const description = javaClasses[name];
    if (description === undefined) throw new TypeError(`no Java class ${name}`);
    this.byte(tc.classDesc);
    this.#name(name);
    this.bytes(Buffer.from(description.version, 'hex'));
    this.#handles.set(name, this.#next++);
    this.byte(description.flags);
    this.#short(description.fields.length);
    for (const [code, field, signature] of description.fields) {
      this.bytes(Buffer.from(code, 'latin1'));
      this.#name(field);
      if (signature !== undefined) this.#signature(signature);
    }
    this.byte(tc.end);
    this.#classDesc(description.parent);
  }

  #signature(text: string): void {
    const handle = `signature ${text}`;
    if (this.#refer(handle)) return;
    this.#handles.set(handle, this.#next);
    this.string(text);
  }

  #refer(key: string): boolean {
    const handle = this.#handles.get(key);
    if (handle === undefined) return false;
    this.byte(tc.reference);
    this.int(handle);
    return true;
  }

  #name(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    this.#short(bytes.length);
    this.bytes(bytes);
  }

  #short(value: number): void {
    this.bytes(Buffer.of(value >> 8, value & 0xff));
  }
}

/** UTF-16 units one by one, zero in two bytes. */
function modifiedUtf8(text: string): Buffer {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0 && unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from(bytes);
}
