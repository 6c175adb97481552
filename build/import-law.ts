/** Checks every import against .dependency-cruiser.cjs. Exit code 1 when one breaks the law. */
import { cruise } from 'dependency-cruiser';
import type { ICruiseResult } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { existsSync } from 'node:fs';

const rooms = ['runtime', 'connectors', 'libs', 'build', 'test', 'bench', 'examples'];
/** A compiler that the cruiser cannot work with makes it see nothing, and find nothing wrong. */
const fewestModules = 400;

const options = await extractOptions('./.dependency-cruiser.cjs');
const { output } = await cruise(
  rooms.filter((room) => existsSync(room)),
  { ...options },
  undefined,
  {
    tsConfig: extractTsConfig('./tsconfig.json'),
  },
);
const { summary } = output as ICruiseResult;

for (const { rule, from, to, cycle } of summary.violations) {
  const path = cycle === undefined ? to : cycle.map(({ name }) => name).join(' → ');
  console.error(`${from} → ${path}\n    ${rule.name}: ${comment(rule.name)}`);
}
const { totalCruised, totalDependenciesCruised = 0 } = summary;
const tooFew = totalCruised < fewestModules;
if (tooFew) console.error(`Only ${totalCruised} modules were seen, of at least ${fewestModules}: the check itself is broken.`);
if (summary.error > 0 || tooFew) process.exit(1);
console.log(`import law: ${totalCruised} modules, ${totalDependenciesCruised} imports, none against it`);

function comment(name: string): string {
  return options.ruleSet?.forbidden?.find((rule) => rule.name === name)?.comment ?? '';
}
