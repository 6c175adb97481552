import { ConfigError } from '../api/index.ts';

/** A login module of a `sasl.jaas.config`, and its options. */
export interface JaasEntry {
  readonly loginModule: string;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * Parses a JAAS entry, as Kafka's JaasConfig does: `module flag key=value key="value" …;`. Throws a ConfigError that
 * names the key `sasl.jaas.config` and holds nothing of its text.
 */
export function parseJaas(text: string): JaasEntry {
  const tokens = tokensOf(text);
  const [loginModule, flag, ...rest] = tokens;
  if (loginModule === undefined || flag === undefined || rest.pop() !== ';')
    throw malformed('it must read: LOGIN_MODULE required KEY="VALUE" …;');
  if (!/^(required|requisite|sufficient|optional)$/i.test(flag)) throw malformed('after the login module there must stand "required"');
  if (rest.length % 3 !== 0) throw malformed('its options must read KEY="VALUE"');
  const options: Record<string, string> = {};
  for (let i = 0; i < rest.length; i += 3) {
    if (rest[i + 1] !== '=') throw malformed('its options must read KEY="VALUE"');
    options[rest[i] as string] = rest[i + 2] as string;
  }
  return { loginModule, options };
}

/** Words, quoted texts and the signs `=` and `;`, as java.io.StreamTokenizer gives them. */
function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < text.length;) {
    const sign = text[at] as string;
    if (/\s/.test(sign)) at++;
    else if (sign === '=' || sign === ';') {
      tokens.push(sign);
      at++;
    } else if (sign === '"' || sign === "'") {
      let value = '';
      let end = at + 1;
      for (; end < text.length && text[end] !== sign; end++) {
        if (text[end] === '\\' && end + 1 < text.length) end++;
        value += text[end];
      }
      if (end >= text.length) throw malformed('a quote is not closed');
      tokens.push(value);
      at = end + 1;
    } else {
      const end = at + (/[\s=;"']/.exec(text.slice(at))?.index ?? text.length - at);
      tokens.push(text.slice(at, end));
      at = end;
    }
  }
  return tokens;
}

const malformed = (why: string): ConfigError => new ConfigError(`sasl.jaas.config: cannot be read: ${why}.`);
