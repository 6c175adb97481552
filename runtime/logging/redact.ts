/** Keeps secrets out of what is logged, should one get that far. */
const secretKey = /password|passphrase|secret|jaas|token|credential|api[._-]?key|private[._-]?key/i;
const hidden = '[hidden]';
const maxDepth = 6;

/** A copy with the values of such keys hidden. Errors are left as they are. */
export function redactFields(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null || value instanceof Error || depth > maxDepth) return value;
  if (Array.isArray(value)) return value.map((item) => redactFields(item, depth + 1));
  if (value.constructor !== Object && value.constructor !== undefined) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, secretKey.test(key) && item !== null ? hidden : redactFields(item, depth + 1)]),
  );
}

/** `password=…`, `"password":"…"`, and passwords in URLs; not placeholders, which say only where the secret is. */
export function redactText(text: string): string {
  return text
    .replace(
      /((?:password|passphrase|secret|token)["']?\s*[=:]\s*)(?!\$\{[^{}]*\}(?:[\s,:;&'"]|$))("(?:[^"\\]|\\.)*"|'[^']*'|(?:\$\{[^{}]*\}|[^\s,;&}'"])+)/gi,
      `$1${hidden}`,
    )
    .replace(/(:\/\/[^\s:/@]+:)[^\s/@]+@/g, `$1${hidden}@`);
}
