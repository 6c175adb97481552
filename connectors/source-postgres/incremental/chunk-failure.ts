/** What becomes of a table of which a chunk could not be read. */
import { codeOf, explain, mayPass } from '../connection/errors.ts';
import { NoKeyError } from './chunk-reader.ts';

export type ChunkFailure =
  /** The others are gone on with; `status` is Debezium's word for it. */
  | { readonly kind: 'refuse'; readonly status: 'NO_PRIMARY_KEY' | 'SQL_EXCEPTION'; readonly error: Error }
  | { readonly kind: 'again' | 'fail'; readonly error: Error };

/** Not supported, wrong data, wrong SQL, or an error of a function: the table's, or the signal's condition. */
const ownFault = /^(0A|21|22|42|P0)/;

export function judgeFailure(error: unknown, table: string): ChunkFailure {
  if (error instanceof NoKeyError) return { kind: 'refuse', status: 'NO_PRIMARY_KEY', error };
  const told = explain(error, `read table ${table} for the incremental snapshot`);
  if (mayPass(told)) return { kind: 'again', error: told };
  return ownFault.test(codeOf(error) ?? '') ? { kind: 'refuse', status: 'SQL_EXCEPTION', error: told } : { kind: 'fail', error: told };
}
