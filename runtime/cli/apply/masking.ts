/** What of a config may be printed. Placeholders may: they say only where a secret is. */
import type { RawConfig } from '../../api/index.ts';

export const mask = '***';

const secretName = /passw(or)?d|passphrase|secret|token|credential|jaas|api[._-]?key|access[._-]?key|private[._-]?key/i;
/** `ssl.keystore.key` is one; `key.converter` and `message.key.columns` are none. */
const keyAtEnd = /(^|[._-])key$/i;
/** These end like secrets, and name a field, a column or a class. */
const harmlessName = /(converter|columns?|fields?|class|type|enable|enabled|ms|location|path|topic)$/i;

const onlyPlaceholders = /^(\$\{[^{}]*\}|[\s:;,@/=&"'.-])*$/;
/** Parts of a value that are secrets whatever its key is called; the first group stays, a placeholder as a whole too. */
const secretParts: readonly RegExp[] = [
  /((?:password|passwd|passphrase|secret|token|api_?key)["']?\s*[=:]\s*)("(?!\$\{[^{}]*\}")(?:[^"\\]|\\.)*"|'(?!\$\{[^{}]*\}')[^']*'|(?!["']|\$\{[^{}]*\}(?:[\s,;&}]|$))[^\s,;&}]+)/gi,
  /(:\/\/[^\s:/@]*:)(?!\$\{[^{}]*\}@)[^\s/@]+(?=@)/g,
  /(-----BEGIN [A-Z ]+-----)[^]*?(?=-----END|$)/g,
  /()\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g,
  /()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
];

export function isSecretKey(key: string): boolean {
  if (harmlessName.test(key)) return false;
  return secretName.test(key) || keyAtEnd.test(key);
}

/** The value as the plan shows it. */
export function shownValue(key: string, value: string): string {
  if (value === '' || onlyPlaceholders.test(value)) return value;
  if (isSecretKey(key) && !/jaas/i.test(key)) return mask;
  const shown = secretParts.reduce((text, part) => text.replace(part, `$1${mask}`), value);
  return looksRandom(shown) ? mask : shown;
}

/** A long run of letters and digits without a word's shape: an access token, as a rule. */
function looksRandom(value: string): boolean {
  return /^[A-Za-z0-9+/_=-]{32,}$/.test(value) && /\d/.test(value) && /[A-Z]/.test(value) && /[a-z]/.test(value);
}

/** What of these configs must not appear in any message. */
export function secretsOf(configs: readonly RawConfig[]): readonly string[] {
  const secrets = new Set<string>();
  for (const config of configs) {
    for (const [key, value] of Object.entries(config)) {
      const shown = shownValue(key, value);
      if (shown === value || value.trim() === '') continue;
      secrets.add(value);
      for (const part of secretParts) for (const match of value.matchAll(part)) addPart(secrets, match[0].slice(match[1]?.length ?? 0));
    }
  }
  return [...secrets];
}

function addPart(secrets: Set<string>, part: string): void {
  const bare = part.replace(/^(["'])(.*)\1$/s, '$2');
  if (bare !== '') secrets.add(bare);
}

/** A message of the server's without them. Short ones are taken out only where they stand alone. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  const forms = new Set(secrets.flatMap((secret) => [secret, secret.trim(), JSON.stringify(secret).slice(1, -1)]));
  for (const secret of [...forms].toSorted((a, b) => b.length - a.length)) {
    if (secret.length >= 5) clean = clean.replaceAll(secret, mask);
    else if (secret !== '') clean = clean.replace(new RegExp(`(?<![\\w$])${RegExp.escape(secret)}(?!\\w)`, 'g'), () => mask);
  }
  return secretParts.reduce((shown, part) => shown.replace(part, `$1${mask}`), clean);
}
