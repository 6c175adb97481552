/** The target's tables: looked up, created and extended. */
import { ConfigError, DataError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { columnOf, readTable } from './catalog.ts';
import type { Table } from './catalog.ts';
import { codeOf, explain, faultOf } from './errors.ts';
import type { FieldSpec } from './fields.ts';
import { describeTable, parseTableName, quoted } from './identifiers.ts';
import type { TableName } from './identifiers.ts';
import { columnName } from './plan.ts';
import type { Settings } from './settings.ts';
import { columnType } from './values/column-type.ts';
import { encoderOf } from './values/encoder.ts';

export class Tables {
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #known = new Map<string, Table>();

  constructor(settings: Settings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
  }

  /** Their columns may have changed: all is looked up anew. */
  forget(): void {
    this.#known.clear();
  }

  /**
   * The table of that name, with columns for the fields, as far as the settings allow to make them. Undefined where there
   * is none and only a key is known. Rejects with a DataError that says what to do; outside of any transaction.
   */
  async ensure(client: Client, text: string, fields: readonly FieldSpec[], keyOnly: boolean): Promise<Table | undefined> {
    const { address, foldNames, create, keyNames } = this.#settings;
    const name = parseTableName(text, address.database, foldNames);
    let table = this.#known.get(text) ?? (await this.#read(client, name));
    if (table === undefined) {
      if (!create) {
        throw new DataError(`table ${describeTable(name)} does not exist.`, {
          hint: `Create it, or set ${keyNames.create}${keyNames.create.includes('=') ? '' : '=true'}.`,
        });
      }
      if (keyOnly) return undefined;
      await this.#change(client, name, () => this.#creation(name, fields));
      table = await this.#mustRead(client, name);
    } else if (!keyOnly && this.#missing(table, fields).length > 0) {
      // Somebody else may have added them.
      table = await this.#mustRead(client, name);
      const found = table;
      const missing = this.#missing(found, fields);
      if (missing.length > 0 && this.#settings.evolve && missing.every(({ schema }) => schema !== null)) {
        await this.#change(client, name, () => this.#addition(found, missing));
        table = await this.#mustRead(client, name);
      }
    }
    this.#known.set(text, table);
    return table;
  }

  #missing(table: Table, fields: readonly FieldSpec[]): FieldSpec[] {
    return fields.filter((field) => columnOf(table, columnName(field.name, this.#settings)) === undefined);
  }

  #read(client: Client, name: TableName): Promise<Table | undefined> {
    return readTable(client, name, this.#settings.views).catch((error: unknown) => {
      throw explain(error, `look up table ${describeTable(name)}`);
    });
  }

  async #mustRead(client: Client, name: TableName): Promise<Table> {
    const table = await this.#read(client, name);
    if (table === undefined) throw new DataError(`table ${describeTable(name)} was dropped while it was written to.`);
    return table;
  }

  /** One task at a time, in a transaction of its own: with rows already locked, two tasks would wait for each other. */
  async #change(client: Client, name: TableName, statement: () => string): Promise<void> {
    const sql = statement();
    const lock = pg.escapeLiteral(`millrace ${describeTable(name)}`);
    try {
      await client.query(`begin; select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`);
      await client.query(sql);
      await client.query('commit');
      this.#log.info(`connector ${this.#settings.connector}: ${sql}`);
    } catch (error) {
      await client.query('rollback').catch(() => {});
      const doing = `change table ${describeTable(name)} (${sql})`;
      const fault = faultOf(error);
      if (fault === 'outage' || fault === 'passing') throw error;
      const told = explain(error, doing);
      if (codeOf(error) === '42501') throw new ConfigError(told.message, { cause: error });
      throw new DataError(told.message, { cause: error });
    }
  }

  #creation(name: TableName, fields: readonly FieldSpec[]): string {
    const unknown = fields.find(({ schema }) => schema === null);
    if (unknown !== undefined) {
      throw new DataError(
        `table ${describeTable(name)} does not exist, and cannot be created: the records have no schema that says of what type "${unknown.name}" is.`,
        {
          hint: 'Create the table, or read records with their schemas (JsonConverter with schemas.enable=true, Avro).',
        },
      );
    }
    const parts = fields.map((field) => this.#definition(field));
    const key = fields.filter(({ isKey }) => isKey).map((field) => pg.escapeIdentifier(columnName(field.name, this.#settings)));
    if (key.length > 0) parts.push(`PRIMARY KEY (${key.join(', ')})`);
    return `CREATE TABLE IF NOT EXISTS ${quoted(name)} (${parts.join(', ')})`;
  }

  #addition(table: Table, fields: readonly FieldSpec[]): string {
    const unsafe = fields.find(({ schema, isKey }) => isKey || (schema?.optional !== true && schema?.defaultValue === undefined));
    if (unsafe !== undefined) {
      throw new DataError(
        `column "${unsafe.name}" cannot be added to table ${table.label}: ${unsafe.isKey ? 'it is part of the key' : 'its field is not optional and has no default'}.`,
        {
          hint: 'Add the column yourself, with a value for the rows that are there.',
        },
      );
    }
    return `ALTER TABLE ${table.sql} ${fields.map((field) => `ADD COLUMN IF NOT EXISTS ${this.#definition(field)}`).join(', ')}`;
  }

  #definition({ name, schema, isKey }: FieldSpec): string {
    if (schema === null) throw new DataError(`the type of field "${name}" is not known`);
    const type = columnType(schema, name, this.#settings.values);
    const required = isKey || !schema.optional ? ' NOT NULL' : '';
    return `${pg.escapeIdentifier(columnName(name, this.#settings))} ${type}${this.#default(name, schema, type)}${required}`;
  }

  #default(name: string, schema: NonNullable<FieldSpec['schema']>, type: string): string {
    const value = schema.defaultValue;
    if (value === undefined || value === null) return '';
    const base = catalogNames[type] ?? type.replace(/\(.*/, '');
    const category = /^(int|numeric|float)/.test(base) ? 'N' : type.endsWith('[]') ? 'A' : /^(date|time)/.test(base) ? 'D' : 'U';
    const column = {
      base,
      category,
      type,
      typmod: -1,
      name,
      viaText: false,
      notNull: false,
      hasDefault: false,
      generated: false,
      identityAlways: false,
    };
    return ` DEFAULT ${pg.escapeLiteral(encoderOf(schema, column, name, this.#settings.values).text(value))}`;
  }
}

const catalogNames: Readonly<Record<string, string>> = {
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  real: 'float4',
  'double precision': 'float8',
  boolean: 'bool',
};
