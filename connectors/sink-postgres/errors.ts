/** What PostgreSQL's errors mean for a sink: whose fault they are, and what to do. Source of the codes: PostgreSQL, appendix A. */
import { ConfigError, ConnectError, DataError, RetriableError } from '@millrace/runtime/api';

/**
 * `row`: of what was written, so that other rows may pass; `outage`: the server cannot be reached or serve; `passing`: the same
 * may work in a moment; `stale`: the table is not what it was; `act`: somebody has to do something.
 */
export type Fault = 'row' | 'outage' | 'passing' | 'stale' | 'act';

const byCode: Readonly<Record<string, Fault>> = {
  '40001': 'passing',
  '40P01': 'passing',
  '40003': 'passing',
  '55P03': 'passing',
  '55006': 'passing',
  '57014': 'passing',
  '25006': 'outage',
  '57P01': 'outage',
  '57P02': 'outage',
  '57P03': 'outage',
  '57P05': 'outage',
  '53000': 'outage',
  '53100': 'outage',
  '53200': 'outage',
  '53300': 'outage',
  '58030': 'outage',
  '42P01': 'stale',
  '42703': 'stale',
  '42P10': 'stale',
  '3F000': 'stale',
  '0A000': 'row',
  '42804': 'row',
  '42846': 'row',
  '42883': 'row',
  '42P18': 'row',
  '42P21': 'row',
  '428C9': 'row',
  '54000': 'row',
  '54001': 'row',
  '54023': 'row',
  '44000': 'row',
  P0001: 'row',
  P0004: 'row',
  '55000': 'row',
};

const network = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN']);
const lost =
  /Connection terminated|connection (was )?(terminated|closed)|Client has encountered a connection error|timeout expired|timeout exceeded|not queryable|socket (hang up|closed)|was closed|read timeout/i;

export function faultOf(error: unknown): Fault {
  if (error instanceof RetriableError) return 'outage';
  if (error instanceof DataError) return 'row';
  const code = codeOf(error);
  if (code !== undefined) {
    const known = byCode[code];
    if (known !== undefined) return known;
    if (/^(21|22|23)...$/.test(code)) return 'row';
    if (/^08...$/.test(code) || network.has(code)) return 'outage';
    return 'act';
  }
  if (error instanceof AggregateError && error.errors.length > 0) return faultOf(error.errors[0]);
  return lost.test(String((error as Error | null)?.message)) ? 'outage' : 'act';
}

const hints: readonly { readonly code: RegExp; readonly message?: RegExp; readonly hint: string }[] = [
  { code: /^28P01$/, hint: 'Check the user and the password.' },
  { code: /^28000$/, hint: 'Check the user, sslmode, and that pg_hba.conf lets this user in.' },
  { code: /^3D000$/, hint: 'Check the database in connection.url.' },
  { code: /^ENOTFOUND$/, hint: 'Check the host in connection.url.' },
  { code: /^(ECONN|ETIMEDOUT|EHOST|ENET|EAI)/, hint: 'Check that PostgreSQL runs, and the host and port in connection.url.' },
  { code: /^42501$/, hint: 'Grant the user of the connector what is missing.' },
  { code: /^25006$/, hint: 'The server is a standby: name the primary in connection.url, or add targetServerType=primary.' },
  { code: /^53100$/, hint: 'Make room on the disk of the server.' },
  { code: /^53300$/, hint: 'Raise max_connections, or end connections.' },
  {
    code: /^22021$/,
    message: /0x00/,
    hint: 'PostgreSQL cannot store the character U+0000: remove it with a transform, or write the field into a bytea column.',
  },
  {
    code: /^22P05$/,
    message: /u0000/i,
    hint: 'jsonb cannot store the character U+0000: remove it with a transform, or use a json column.',
  },
  { code: /^22001$/, hint: 'Widen the column, or shorten the value with a transform.' },
  { code: /^22003$/, hint: 'Widen the column: the number does not fit.' },
  {
    code: /^(22P02|22007|22008|42804)$/,
    hint: 'The value is not of the type of its column: change the column, or convert the field with a transform.',
  },
  { code: /^23502$/, hint: 'The column needs a value: give it a default, or the record the field.' },
  {
    code: /^23503$/,
    hint: 'The row that it refers to is not there: it may come by another topic. Make the constraint deferrable or drop it on the target.',
  },
  { code: /^23505$/, hint: 'A row with this key is there already: use insert.mode=upsert if it is to be replaced.' },
  { code: /^23514$/, hint: 'The value breaks a CHECK constraint of the table, or no partition takes it.' },
  { code: /^54001$/, hint: 'The value is nested too deep.' },
];

/** `doing` completes "could not …". What is told already passes through. */
export function explain(error: unknown, doing: string, quiet = false): ConnectError {
  if (error instanceof ConnectError) return error;
  const found = foundIn(error, quiet);
  const code = codeOf(error) ?? '';
  const hint = hints.find((entry) => entry.code.test(code) && (entry.message?.test(found) ?? true))?.hint;
  const message = `could not ${doing}: ${found}${/[.!?]$/.test(found) ? '' : '.'}`;
  const options = { ...(quiet ? {} : { cause: error }), ...(hint === undefined ? {} : { hint }) };
  switch (faultOf(error)) {
    case 'row':
      return new DataError(message, options);
    case 'outage':
    case 'passing':
      return new RetriableError(message, options);
    case 'stale':
      return new ConnectError(message, options);
    case 'act':
      return /^(28|3D|42501|ENOTFOUND)/.test(code) ? new ConfigError(message, options) : new ConnectError(message, options);
  }
}

/** With `quiet`, without the detail and place that quote values (trim.sensitive.log). */
function foundIn(error: unknown, quiet: boolean): string {
  // Node wraps what several addresses of a host name answered.
  if (error instanceof AggregateError && error.errors.length > 0) return foundIn(error.errors[0], quiet);
  const { message = String(error), detail, where } = error as { message?: string; detail?: string; where?: string };
  if (quiet) return message.replaceAll(/"[^"]*"/g, '"…"');
  const column = /^COPY .+, line \d+, column ([^:]+)/.exec(where ?? '')?.[1];
  const parts = [column === undefined ? undefined : `column ${column}`, detail].filter((part) => part !== undefined);
  return `${message}${parts.length === 0 ? '' : ` (${parts.join('; ')})`}`;
}

export const codeOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
};
