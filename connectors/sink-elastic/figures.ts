import type { TaskContext } from '@millrace/runtime/api';

/** What `/metrics` tells of a task, in the order of the README's table. */
export type FigureName =
  | 'documents-settled-total'
  | 'bulk-requests-total'
  | 'bulk-request-retries-total'
  | 'item-retries-total'
  | 'malformed-documents-total'
  | 'invalid-records-total'
  | 'replayed-records-total'
  | 'hidden-records-total';

export interface Figures {
  add(name: FigureName, by: number): void;
  get(name: FigureName): number;
}

export function createFigures(context: Pick<TaskContext, 'setFigure'>): Figures {
  const totals = new Map<FigureName, number>();
  return {
    add(name, by) {
      const total = (totals.get(name) ?? 0) + by;
      totals.set(name, total);
      context.setFigure?.(name, total);
    },
    get: (name) => totals.get(name) ?? 0,
  };
}
