/**
 * A tree of wire nodes is flattened, once, into a list of steps: bytes that are always the same, runs of values that
 * stay the same while one scope lasts (rendered when the scope changes), slots that are copied, and values of the
 * row alone.
 */
import { ByteSink } from '../../api/index.ts';
import type { Schema, SlotNode, StructNode, WireNode } from '../../api/index.ts';
import { fieldLead } from './field-name.ts';
import { writeInteger, writeText } from './text.ts';
import type { JsonWriters, ValueWriter } from './writer-types.ts';

export type StepKind = 'bytes' | 'run' | 'own' | 'integer' | 'boolean' | 'text' | 'decimal' | 'other';

/** One shape for all steps, so that the loop reads them the same way. */
export interface Step {
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

/** The steps of a tree, in the order in which they write. */
export function wireSteps(node: StructNode, writers: JsonWriters): Step[] {
  const atoms: Atom[] = [];
  flatten(node, node.schema.name ?? '', writers, atoms);
  return toSteps(atoms, writers);
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

/** Renders a run for the scope that begins. */
export function renderRun(run: Step, scope: readonly unknown[]): void {
  const { rendered } = run;
  run.seen = undefined;
  rendered.clear();
  for (const part of run.parts) {
    if (part.kind === 'bytes') rendered.copy(part.bytes);
    else part.write(scope[part.index] ?? null, rendered);
  }
  run.bytes = rendered.written();
  run.seen = scope;
}
