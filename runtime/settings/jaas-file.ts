/**
 * Java's login configuration files: `CONTEXT { MODULE FLAG key="value" …; … }; …` with comments of Java's two kinds.
 * Source: javax.security.auth.login.Configuration.
 */
import { ConfigError } from '../api/index.ts';

export interface LoginModule {
  readonly module: string;
  readonly options: Readonly<Record<string, string>>;
}

/** The login modules of each context. Throws a ConfigError that holds nothing of the text but names of modules. */
export function parseJaasFile(text: string): ReadonlyMap<string, readonly LoginModule[]> {
  const tokens = tokensOf(text);
  const contexts = new Map<string, LoginModule[]>();
  let at = 0;
  const next = (what: string): string => {
    const token = tokens[at++];
    if (token === undefined) throw new ConfigError(`it ends where ${what} must stand`);
    return token.text;
  };
  const sign = (wanted: string): void => {
    const found = tokens[at++];
    if (found?.text !== wanted || found.quoted)
      throw new ConfigError(`a "${wanted}" is missing${found ? ` in line ${found.line}` : ' at its end'}`);
  };
  const comes = (wanted: string): boolean => tokens[at]?.text === wanted && tokens[at]?.quoted === false;
  while (at < tokens.length) {
    const context = next('a context');
    sign('{');
    const modules: LoginModule[] = [];
    while (!comes('}')) {
      const module = next('a login module');
      const flag = next('a flag');
      if (!/^(required|requisite|sufficient|optional)$/i.test(flag)) throw new ConfigError(`after ${module} there must stand "required"`);
      const options: Record<string, string> = {};
      while (!comes(';')) {
        const key = next('an option, or ";"');
        sign('=');
        options[key] = next('the value of an option');
      }
      sign(';');
      modules.push({ module, options });
    }
    sign('}');
    sign(';');
    contexts.set(context, modules);
  }
  return contexts;
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
}

function tokensOf(text: string): readonly Token[] {
  const pattern = /(\s+|\/\/[^\n]*|\/\*[^]*?\*\/)|"((?:[^"\\\n]|\\.)*)"|([{};=])|([^\s{};="]+)|(.)/gy;
  const tokens: Token[] = [];
  let line = 1;
  for (const [whole, skipped, quoted, sign, word] of text.matchAll(pattern)) {
    if (quoted !== undefined) tokens.push({ text: quoted.replace(/\\(.)/g, '$1'), quoted: true, line });
    else if (sign !== undefined || word !== undefined) tokens.push({ text: whole, quoted: false, line });
    else if (skipped === undefined) throw new ConfigError(`a quote in line ${line} is not closed`);
    line += whole.split('\n').length - 1;
  }
  return tokens;
}
