/** A module of this folder, as a thread's entry: `.ts` in a checkout, `.js` where it was compiled. */
export function siblingModule(name: string): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./${name}.${ending}`, import.meta.url);
}
