/** Reads what Java's ObjectOutputStream wrote into objects that name their class. Source: Java Object Serialization Specification, chapter 6. */

export interface JavaObject {
  readonly className: string;
  /** Numbers, bigints for longs, booleans, strings, and objects again; an array's items are `items`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly items: readonly unknown[] | Buffer | undefined;
  /** What classes wrote of their own, all in one. */
  readonly data: Buffer;
}

interface ClassDesc {
  readonly name: string;
  readonly flags: number;
  readonly fields: readonly { readonly code: string; readonly name: string }[];
  parent: ClassDesc | null;
}

/** Null, a string or an object. Throws a TypeError for bytes that are no object stream. */
export function readJavaObject(bytes: Buffer): unknown {
  const reader = new StreamReader(bytes);
  if (reader.int() !== 0xaced0005 >> 0) throw new TypeError('these are not the bytes of a Java object');
  return reader.content();
}

class StreamReader {
  readonly #bytes: Buffer;
  #at = 0;
  readonly #handles: unknown[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    return this.#take(4).readInt32BE();
  }

  content(): unknown {
    const kind = this.#byte();
    switch (kind) {
      case 0x70:
        return null;
      case 0x71:
        return this.#handles[this.int() - 0x7e0000];
      case 0x73:
        return this.#object();
      case 0x74:
        return this.#remember(this.#utf(this.#short()));
      case 0x75:
        return this.#array();
      case 0x7c:
        return this.#remember(this.#utf(Number(this.#take(8).readBigUInt64BE())));
      case 0x7e:
        return this.#enumConstant();
      default:
        throw new TypeError(`a Java object stream with content of kind 0x${kind.toString(16)}`);
    }
  }

  #object(): JavaObject {
    const description = this.#classDesc();
    if (description === null) throw new TypeError('a Java object without a class');
    const fields: Record<string, unknown> = {};
    const data: Buffer[] = [];
    const object = { className: description.name, fields, items: undefined, data: Buffer.alloc(0) };
    this.#remember(object);
    const lineage: ClassDesc[] = [];
    for (let one: ClassDesc | null = description; one !== null; one = one.parent) lineage.unshift(one);
    for (const { flags, fields: described } of lineage) {
      if ((flags & 2) !== 0) for (const { code, name } of described) fields[name] = this.#value(code);
      if ((flags & 1) !== 0 || (flags & 4) !== 0) data.push(...this.#annotation());
    }
    return Object.assign(object, { data: Buffer.concat(data) });
  }

  #array(): JavaObject {
    const description = this.#classDesc();
    if (description === null) throw new TypeError('a Java array without a class');
    const array = { className: description.name, fields: {}, items: [] as unknown[] | Buffer, data: Buffer.alloc(0) };
    this.#remember(array);
    const length = this.int();
    const code = description.name.charAt(1);
    if (code === 'B') array.items = Buffer.from(this.#take(length));
    else array.items = Array.from({ length }, () => this.#value(code));
    return array;
  }

  #enumConstant(): JavaObject {
    const description = this.#classDesc();
    const constant = { className: description?.name ?? '', fields: {} as Record<string, unknown>, items: undefined, data: Buffer.alloc(0) };
    this.#remember(constant);
    constant.fields['name'] = this.content();
    return constant;
  }

  #classDesc(): ClassDesc | null {
    const kind = this.#byte();
    if (kind === 0x70) return null;
    if (kind === 0x71) return this.#handles[this.int() - 0x7e0000] as ClassDesc;
    if (kind !== 0x72) throw new TypeError(`a Java class description of kind 0x${kind.toString(16)}`);
    const name = this.#utf(this.#short());
    this.#take(8);
    const fields: { code: string; name: string }[] = [];
    const description = { name, flags: 0, fields, parent: null as ClassDesc | null };
    this.#remember(description);
    description.flags = this.#byte();
    for (let count = this.#short(); count > 0; count--) {
      const code = String.fromCharCode(this.#byte());
      fields.push({ code, name: this.#utf(this.#short()) });
      if (code === 'L' || code === '[') this.content();
    }
    this.#annotation();
    description.parent = this.#classDesc();
    return description;
  }

  #value(code: string): unknown {
    switch (code) {
      case 'B':
        return this.#take(1).readInt8();
      case 'C':
      case 'S':
        return this.#take(2).readInt16BE();
      case 'I':
        return this.int();
      case 'J':
        return this.#take(8).readBigInt64BE();
      case 'F':
        return this.#take(4).readFloatBE();
      case 'D':
        return this.#take(8).readDoubleBE();
      case 'Z':
        return this.#byte() !== 0;
      default:
        return this.content();
    }
  }

  /** Everything up to the end mark; only blocks of bytes are kept. */
  #annotation(): Buffer[] {
    const blocks: Buffer[] = [];
    for (;;) {
      const kind = this.#bytes[this.#at];
      if (kind === 0x78) {
        this.#at++;
        return blocks;
      }
      if (kind === 0x77) {
        this.#at++;
        blocks.push(this.#take(this.#byte()));
      } else {
        this.content();
      }
    }
  }

  #remember<T>(value: T): T {
    this.#handles.push(value);
    return value;
  }

  #byte(): number {
    return this.#take(1).readUInt8();
  }

  #short(): number {
    return this.#take(2).readUInt16BE();
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new TypeError('a Java object stream that ends too early');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** Modified UTF-8: each UTF-16 unit by itself. */
  #utf(length: number): string {
    const bytes = this.#take(length);
    let text = '';
    for (let i = 0; i < length;) {
      const first = bytes[i] as number;
      const [a = 0, b = 0] = [bytes[i + 1], bytes[i + 2]];
      if (first < 0x80) text += String.fromCharCode(first);
      else if (first < 0xe0) text += String.fromCharCode(((first & 0x1f) << 6) | (a & 0x3f));
      else text += String.fromCharCode(((first & 0x0f) << 12) | ((a & 0x3f) << 6) | (b & 0x3f));
      i += first < 0x80 ? 1 : first < 0xe0 ? 2 : 3;
    }
    return text;
  }
}
