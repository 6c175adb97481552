/**
 * The import law: which room may import which. A room that is not named here may import nothing.
 * `docs/decisions/` and CONTRIBUTING.md say why; build/import-law.ts runs it, and fails too when
 * suspiciously few modules were seen.
 */
const rooms = {
  api: [],
  ports: ['api'],
  batch: ['api'],
  transforms: ['api'],
  predicates: ['api'],
  converters: ['api'],
  plugins: ['api', 'ports'],
  settings: ['api', 'ports'],
  tls: ['api'],
  logging: ['api'],
  pipeline: ['api', 'ports', 'batch'],
  kafka: ['api', 'ports', 'batch', 'tls'],
  embedded: ['api', 'ports', 'batch'],
  stores: ['api', 'ports', 'batch'],
  'dead-letters': ['api', 'ports', 'batch'],
  rest: ['api', 'ports'],
  herder: ['api', 'ports', 'plugins', 'stores'],
  worker: ['api', 'ports', 'pipeline', 'plugins', 'batch', 'stores', 'kafka', 'embedded'],
};

// Tests may look at what they like; the law is about what is shipped.
const test = '\\.test\\.ts$|^runtime/[^/]+/test/|^(connectors|libs)/[^/]+/test/';
const oneOf = (names) => `^runtime/(${names.join('|')})/`;

const roomRules = Object.entries(rooms).map(([room, allowed]) => ({
  name: `room-${room}`,
  comment: `runtime/${room} may import ${allowed.length > 0 ? allowed.join(', ') : 'nothing of ours'} only`,
  severity: 'error',
  from: { path: oneOf([room]), pathNot: test },
  to: { path: '^(runtime|connectors|libs|test|bench|build|examples)/', pathNot: oneOf([room, ...allowed]) },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'no-cycle',
      comment: 'modules that import each other cannot be understood apart',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'known-rooms',
      comment: 'a new folder of runtime/ needs an entry in the import law',
      severity: 'error',
      from: { path: '^runtime/[^/]+/', pathNot: `${oneOf([...Object.keys(rooms), 'cli'])}|^runtime/node_modules/` },
      to: {},
    },
    {
      name: 'kafka-client',
      comment: 'only runtime/kafka speaks to the Kafka client',
      severity: 'error',
      from: { pathNot: '^(runtime/kafka|bench)/|^node_modules/' },
      to: { path: '(^|/)@platformatic/kafka/' },
    },
    {
      name: 'connector-imports',
      comment: 'a connector or library imports @millrace/runtime/api, its own files and its packages, and libs',
      severity: 'error',
      from: { path: '^(connectors|libs)/([^/]+)/', pathNot: test },
      to: {
        path: '^(runtime|connectors|libs|test|bench|build|examples)/',
        pathNot: '^$1/$2/|^runtime/api/index\\.ts$|^libs/[^/]+/index\\.ts$',
      },
    },
    {
      name: 'connector-entrance',
      comment: 'a connector reaches the runtime by the name @millrace/runtime/api, never by a path',
      severity: 'error',
      from: { path: '^(connectors|libs)/', pathNot: test },
      to: { path: '^runtime/', dependencyTypes: ['local'] },
    },
    {
      name: 'shipped-imports-tests',
      comment: 'what is shipped must not need what is not',
      severity: 'error',
      from: { path: '^(runtime|connectors|libs)/', pathNot: test },
      to: { path: `^(test|bench|build|examples)/|${test}` },
    },
    {
      name: 'resolvable',
      comment: 'an import that leads nowhere is an import the law cannot judge',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-packages',
      comment: 'a package that is used has to be in the package.json of its user, or of the root for tools and tests',
      severity: 'error',
      from: { path: '^(runtime|connectors|libs)/', pathNot: `${test}|^runtime/cli/quickstart/` },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Ours alone: packages have a dist/ too, and what is excluded is not judged.
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
