/** A double as java.lang.Double.toString writes it: `1.0`, `1.0E-7`, `9.223372036854776E16`. */
export function javaDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (size === 0) return `${sign}0.0`;
  if (size >= 1e-3 && size < 1e7) return sign + (Number.isInteger(size) ? `${size}.0` : String(size));
  const [digits, exponent] = size.toExponential().split('e') as [string, string];
  return `${sign}${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
}
