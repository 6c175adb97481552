/**
 * The fast way out: rows that still stand in their source's bytes become JSON bytes with no object between.
 *
 * A tree of nodes is flattened, once, into a list of steps: bytes that are always the same, runs of values that
 * stay the same while one scope lasts (rendered when the scope changes), slots that are copied, and values of the
 * row alone. The list is walked by a loop: generating source for each tree was measured to be no faster, since
 * nearly all time goes into the copying itself.
 */
import { ByteSink, DataError, slotAbsent } from '../../api/index.ts';
import type { Schema, SlotNode, StructNode, WireNode } from '../../api/index.ts';
import { writeAsciiDecimal } from './bytes.ts';
import { fieldLead } from './field-name.ts';
import { special, writeInteger, writeText, writeUtf8Rest } from './text.ts';
import type { JsonWriters, RowWriter, ValueWriter } from './writer-types.ts';

type StepKind = 'bytes' | 'run' | 'own' | 'integer' | 'boolean' | 'text' | 'decimal' | 'other';

/** One shape for all steps, so that the loop reads them the same way. */
interface Step {
  readonly kind: StepKind;
  /** Names the value in errors. */
  readonly path: string;
  /** Of `bytes`; of a `run`, what the scope last seen was rendered to. */
  bytes: Uint8Array;
  /** Of a `run`: where that is rendered. */
  readonly rendered: ByteSink;
  /** Of a `run`: that scope. */
  seen: readonly unknown[] | undefined;
  /** Of a slot, its number; of `own`, the index; of a `run`, the scope. */
  readonly at: number;
  readonly write: ValueWriter;
  readonly decode: SlotNode['decode'] | null;
  readonly absent: unknown;
  readonly scale: number;
  readonly parts: readonly Atom[];
}

interface Atom {
  readonly kind: 'bytes' | 'scope' | 'own' | 'slot';
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly index: number;
  readonly write: ValueWriter;
  readonly slot: SlotNode | null;
}

const noBytes = new Uint8Array(0);
const nothing: ValueWriter = () => {};
const noRun = new ByteSink(0);
const emptyScope: readonly unknown[] = [];

export function compileWireWriter(node: StructNode, writers: JsonWriters): RowWriter {
  const atoms: Atom[] = [];
  flatten(node, node.schema.name ?? '', writers, atoms);
  return runSteps(toSteps(atoms, writers));
}

function atom(part: Partial<Atom> & Pick<Atom, 'kind'>): Atom {
  return { path: '', bytes: noBytes, at: 0, index: 0, write: nothing, slot: null, ...part };
}

function constant(text: string): Atom {
  return atom({ kind: 'bytes', bytes: Buffer.from(text) });
}

function rendered(write: ValueWriter, value: unknown): Atom {
  const out = new ByteSink(64);
  write(value, out);
  return atom({ kind: 'bytes', bytes: out.written().slice() });
}

const textPart: ValueWriter = (value, out) => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) writeInteger(out, value);
  else writeText(out, String(value ?? null));
};

function flatten(node: WireNode, path: string, writers: JsonWriters, into: Atom[]): void {
  switch (node.kind) {
    case 'constant':
      into.push(rendered(writers.forSchema(node.schema), node.value));
      return;
    case 'scope':
      into.push(
        atom({
          kind: 'scope',
          path,
          at: node.scope,
          index: node.index,
          write: writers.forSchema(node.schema),
        }),
      );
      return;
    case 'own':
      into.push(atom({ kind: 'own', path, at: node.index, write: writers.forSchema(node.schema) }));
      return;
    case 'slot':
      into.push(
        atom({
          kind: 'slot',
          path,
          at: node.slot,
          write: writers.forSchema(node.schema),
          slot: node,
        }),
      );
      return;
    case 'text':
      into.push(constant('"'));
      for (const part of node.parts) {
        if (part.kind === 'constant') into.push(rendered(textPart, part.value));
        else if (part.kind === 'scope') into.push(atom({ kind: 'scope', path, at: part.scope, index: part.index, write: textPart }));
        else into.push(atom({ kind: 'own', path, at: part.index, write: textPart }));
      }
      into.push(constant('"'));
      return;
    case 'struct':
      if (node.fields.length === 0) into.push(constant('{'));
      node.fields.forEach((child, index) => {
        const name = node.schema.fields[index]?.name ?? '';
        into.push(atom({ kind: 'bytes', bytes: fieldLead(name, index) }));
        flatten(child, path === '' ? name : `${path}.${name}`, writers, into);
      });
      into.push(constant('}'));
  }
}

/** Joins neighbours: constants with constants, and all that hangs on one scope into one run. */
function toSteps(atoms: readonly Atom[], writers: JsonWriters): Step[] {
  const steps: Step[] = [];
  let group: Atom[] = [];
  let scope = -1;
  const close = (): void => {
    if (group.length > 0)
      steps.push(
        scope < 0
          ? step('bytes', { bytes: joined(group) })
          : step('run', { at: scope, parts: mergeBytes(group), path: group[0]?.path ?? '' }),
      );
    group = [];
    scope = -1;
  };
  for (const next of atoms) {
    if (next.kind === 'bytes') {
      group.push(next);
    } else if (next.kind === 'scope') {
      if (scope >= 0 && scope !== next.at) close();
      scope = next.at;
      group.push(next);
    } else {
      close();
      steps.push(
        next.slot === null ? step('own', { at: next.at, write: next.write, path: next.path }) : slotStep(next, next.slot, writers),
      );
    }
  }
  close();
  return steps;
}

function step(kind: StepKind, part: Partial<Step>): Step {
  return {
    kind,
    path: '',
    bytes: noBytes,
    rendered: kind === 'run' ? new ByteSink(1024) : noRun,
    seen: undefined,
    at: 0,
    write: nothing,
    decode: null,
    absent: null,
    scale: 0,
    parts: [],
    ...part,
  };
}

function joined(group: readonly Atom[]): Uint8Array {
  return new Uint8Array(Buffer.concat(group.map(({ bytes }) => bytes)));
}

function mergeBytes(group: readonly Atom[]): Atom[] {
  const merged: Atom[] = [];
  for (const next of group) {
    const last = merged.at(-1);
    if (next.kind === 'bytes' && last?.kind === 'bytes') merged[merged.length - 1] = { ...last, bytes: joined([last, next]) };
    else merged.push(next);
  }
  return merged;
}

function slotStep({ at, write, path }: Atom, node: SlotNode, writers: JsonWriters): Step {
  return step(slotKind(node, node.schema, writers), {
    at,
    write,
    path,
    decode: node.decode,
    absent: node.absent,
    scale: Number(node.schema.parameters?.['scale'] ?? 0),
  });
}

/** How a slot's bytes are written; where form and schema do not go together, through its value. */
function slotKind({ form }: SlotNode, schema: Schema, { settings }: JsonWriters): StepKind {
  const connectType = schema.name?.startsWith('org.apache.kafka.connect.data.') === true;
  if (form === 'decimal') return connectType && schema.type === 'bytes' && settings.decimalFormat === 'BASE64' ? 'decimal' : 'other';
  if (connectType) return 'other';
  if (form === 'integer') return schema.type.startsWith('int') ? 'integer' : 'other';
  if (form === 'text') return schema.type === 'string' ? 'text' : 'other';
  if (form === 'boolean') return schema.type === 'boolean' ? 'boolean' : 'other';
  return 'other';
}

function renderRun(run: Step, scope: readonly unknown[]): void {
  const { rendered } = run;
  run.seen = undefined;
  rendered.clear();
  for (let i = 0; i < run.parts.length; i++) {
    const part = run.parts[i] as Atom;
    if (part.kind === 'bytes') rendered.copy(part.bytes);
    else part.write(scope[part.index] ?? null, rendered);
  }
  run.bytes = rendered.written();
  run.seen = scope;
}

function runSteps(steps: readonly Step[]): RowWriter {
  return (row, out) => {
    const begin = out.position;
    let k = 0;
    try {
      for (; k < steps.length; k++) {
        const step = steps[k] as Step;
        switch (step.kind) {
          case 'run': {
            const scope = row.scopes[step.at] ?? emptyScope;
            if (step.seen !== scope) renderRun(step, scope);
            out.copy(step.bytes);
            break;
          }
          case 'bytes':
            out.copy(step.bytes);
            break;
          case 'own': {
            step.write(row.own[step.at] ?? null, out);
            break;
          }
          default: {
            const at = row.base + 2 * step.at;
            const start = row.slots[at] as number;
            if (start < 0) step.write(start === slotAbsent ? step.absent : null, out);
            else writeSlot(step, row.bytes, start, row.slots[at + 1] as number, out);
          }
        }
      }
    } catch (error) {
      out.position = begin;
      const path = steps[k]?.path ?? '';
      throw error instanceof DataError && path !== '' ? new DataError(`${path}: ${error.message}`, { cause: error }) : error;
    }
  };
}

function writeSlot(step: Step, source: Uint8Array, start: number, end: number, out: ByteSink): void {
  switch (step.kind) {
    case 'integer':
      return out.copy(source, start, end);
    case 'text': {
      out.ensure(end - start + 2);
      const { bytes } = out;
      let at = out.position;
      bytes[at++] = 0x22;
      for (let i = start; i < end; i++) {
        const byte = source[i] as number;
        if (special[byte] !== 0) {
          out.position = at;
          return writeUtf8Rest(out, source, i, end);
        }
        bytes[at++] = byte;
      }
      bytes[at++] = 0x22;
      out.position = at;
      return;
    }
    case 'boolean':
      return out.text(source[start] === 0x74 ? 'true' : 'false');
    case 'decimal':
      if (writeAsciiDecimal(out, source, start, end, step.scale)) return;
  }
  step.write(step.decode === null ? null : step.decode(source, start, end), out);
}
