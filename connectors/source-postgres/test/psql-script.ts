/** Runs scripts that were written for psql: statement by statement, with its variables and meta-commands. */
import type pg from 'pg';

/**
 * `\set ON_ERROR_STOP 0` lets failing statements pass, as psql does. Where the script sleeps, for whoever follows it
 * to keep up, `keptUp` is waited for instead.
 */
export async function runScript(client: pg.Client, text: string, keptUp?: () => Promise<void>): Promise<void> {
  let stopOnError = true;
  const variables = new Map<string, string>();
  for (const statement of statementsOf(text)) {
    const set = /^\\set (\w+) (\S+)$/.exec(statement);
    if (set !== null) {
      if (set[1] === 'ON_ERROR_STOP') stopOnError = set[2] !== '0';
      else variables.set(set[1] as string, set[2] as string);
      continue;
    }
    if (keptUp !== undefined && /^select pg_sleep\(/i.test(statement)) {
      await keptUp();
      continue;
    }
    const ready = statement.replace(/(?<![:\w]):(\w+)/g, (whole, name: string) => variables.get(name) ?? whole);
    try {
      await client.query(ready);
    } catch (error) {
      if (stopOnError) throw new Error(`${(error as Error).message}: ${ready.slice(0, 200)}`, { cause: error });
    }
  }
}

/** Cut at semicolons outside quotes and dollar quotes; comments are dropped, meta-commands stand alone. */
function statementsOf(text: string): string[] {
  const statements: string[] = [];
  let current = '';
  const token = /--[^\n]*|^\\[^\n]*|'(?:[^']|'')*'|"[^"]*"|\$\$[\s\S]*?\$\$|;|[\s\S]/gm;
  for (const [part] of text.matchAll(token)) {
    if (part.startsWith('--')) continue;
    if (part.startsWith('\\') && part.length > 1) statements.push(part.trim());
    else if (part === ';') {
      statements.push(current.trim());
      current = '';
    } else current += part;
  }
  statements.push(current.trim());
  return statements.filter((statement) => statement !== '');
}
