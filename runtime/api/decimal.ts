/** An exact decimal: `unscaled` × 10^-`scale`. The value of Connect's Decimal (java.math.BigDecimal). */
export class Decimal {
  readonly unscaled: bigint;
  readonly scale: number;

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
  }

  /**
   * Reads plain or exponent notation ("-12.30", "1e3"). `scale` pads with zeros when given; it never drops a
   * digit. Throws a RangeError when the text is no number, or has more digits than the scale holds.
   */
  static parse(text: string, scale?: number): Decimal {
    const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
    const [, sign, whole = '', fraction = '', exponent = '0'] = match ?? [];
    if (match === null || whole.length + fraction.length === 0) throw new RangeError(`"${text}" is not a decimal number`);
    const digits = BigInt(whole + fraction);
    const parsed = new Decimal(sign === '-' ? -digits : digits, fraction.length - Number(exponent));
    return scale === undefined ? parsed : parsed.withScale(scale);
  }

  /** From two's complement, big-endian bytes (java.math.BigInteger's). */
  static fromBytes(bytes: Uint8Array, scale: number): Decimal {
    let unscaled = 0n;
    for (const byte of bytes) unscaled = (unscaled << 8n) | BigInt(byte);
    return new Decimal(BigInt.asIntN(bytes.length * 8, unscaled), scale);
  }

  /** Two's complement, big-endian, as few bytes as hold it. */
  toBytes(): Uint8Array {
    return bigintToBytes(this.unscaled);
  }

  withScale(scale: number): Decimal {
    if (scale === this.scale) return this;
    if (scale > this.scale) return new Decimal(this.unscaled * 10n ** BigInt(scale - this.scale), scale);
    const divisor = 10n ** BigInt(this.scale - scale);
    if (this.unscaled % divisor !== 0n) throw new RangeError(`${this.toString()} has more than ${scale} fraction digits`);
    return new Decimal(this.unscaled / divisor, scale);
  }

  toNumber(): number {
    return Number(this.toString());
  }

  /** Plain notation, never an exponent (BigDecimal.toPlainString). */
  toString(): string {
    const digits = (this.unscaled < 0n ? -this.unscaled : this.unscaled).toString();
    const sign = this.unscaled < 0n ? '-' : '';
    if (this.scale <= 0) return this.unscaled === 0n ? '0' : sign + digits + '0'.repeat(-this.scale);
    const padded = digits.padStart(this.scale + 1, '0');
    return `${sign}${padded.slice(0, -this.scale)}.${padded.slice(-this.scale)}`;
  }

  equals(other: unknown): boolean {
    return other instanceof Decimal && other.unscaled === this.unscaled && other.scale === this.scale;
  }
}

/** java.math.BigInteger.toByteArray. */
export function bigintToBytes(value: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(length * 8, value) !== value) length++;
  const bytes = new Uint8Array(length);
  for (let i = length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}
