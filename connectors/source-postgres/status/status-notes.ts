/** What the task says of its state: one line from each of those who have something to say. */
export interface StatusNotes {
  /** Where to say, or take back, what `topic` has to say. */
  on(topic: string): (text: string | undefined) => void;
}

export function createStatusNotes(tell: ((text: string | undefined) => void) | undefined): StatusNotes {
  const notes = new Map<string, string>();
  return {
    on: (topic) => (text) => {
      if (notes.get(topic) === text) return;
      if (text === undefined) notes.delete(topic);
      else notes.set(topic, text);
      tell?.(notes.size === 0 ? undefined : [...notes.values()].join('\n'));
    },
  };
}
