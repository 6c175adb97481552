import { ConfigError } from '../../api/index.ts';

/** A column of the outbox table that goes along with the event, and where to. */
export interface Placement {
  readonly column: string;
  readonly place: 'header' | 'envelope' | 'partition';
  readonly alias: string;
}

const places: readonly string[] = ['header', 'envelope', 'partition'];

/** Parses `column:place[:alias]`, one for each item. Throws a ConfigError. */
export function parsePlacements(items: readonly string[]): Placement[] {
  return items
    .filter((item) => item !== '')
    .map((item) => {
      const [column = '', place = '', alias, ...more] = item.split(':').map((part) => part.trim());
      if (column === '' || !places.includes(place.toLowerCase()) || more.length > 0) {
        throw new ConfigError(
          `table.fields.additional.placement: "${item}" must be column:header, column:envelope or column:partition, with an alias after another colon if wanted`,
        );
      }
      return { column, place: place.toLowerCase() as Placement['place'], alias: alias ?? column };
    });
}
