import { cutDefault } from './bug-compatible.ts';
import type { ValueSettings, ValueType } from './value-type.ts';

// A function call, perhaps in brackets or of a schema, or one of SQL's functions without brackets.
const call = /^\(*\s*(?:"?[a-zA-Z_][\w$]*"?\.)*"?[a-zA-Z_][\w$]*"?\(|^\(*\s*(?:CURRENT_|LOCALTIME|SESSION_USER|USER\b)/i;
const plainNumber = /^\(?(-?\d+(?:\.\d+)?)\)?(?:::[\w\s"().,]+)?$/;
const literal = /^\(?(E?)'((?:[^']|'')*)'(?:::[\w\s"().,[\]]+?)*\)?$/s;

/**
 * The default of a column in its schema, from pg_get_expr's text: literals as the column encodes them, function
 * calls (now(), nextval(…)) as the type's zero; undefined for other expressions and for types without defaults.
 */
export function defaultValue(type: ValueType, expression: string | null, { compatible }: Pick<ValueSettings, 'compatible'>): unknown {
  if (expression === null || type.generated === undefined) return undefined;
  if (type.cast !== undefined && !(expression.startsWith("'") && expression.endsWith(type.cast))) return undefined;
  if (call.test(expression)) return type.generated;
  const text = literalText(compatible ? cutDefault(expression) : expression.trim());
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text);
  try {
    return (type.literal ?? type.decode)(bytes, 0, bytes.length) ?? undefined;
  } catch {
    // 'today', or anything else that only the server can read.
    return undefined;
  }
}

function literalText(expression: string): string | undefined {
  if (expression === 'true' || expression === 'false') return expression;
  const number = plainNumber.exec(expression);
  if (number !== null) return number[1];
  const quoted = literal.exec(expression);
  if (quoted === null) return undefined;
  const text = (quoted[2] ?? '').replaceAll("''", "'");
  return quoted[1] === 'E' ? text.replaceAll('\\\\', '\\') : text;
}
