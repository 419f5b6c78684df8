/** Who may import whom (docs/explanation, "architecture"): imports point inwards. `npm run imports` checks it. */

/** Each folder of src/, and the folders that it may import. `daemon` puts everything together, so it is not in the list. */
const MAY_IMPORT = {
  base: [],
  otp: ['base'],
  access: ['otp', 'base'],
  config: ['base'],
  radius: ['access', 'base'],
  ldap: ['access', 'base'],
  'first-factor': ['access', 'base'],
  records: ['access', 'otp', 'base'],
  store: ['records', 'access', 'otp', 'base'],
  http: ['store', 'records', 'access', 'config', 'otp', 'base'],
  cli: ['store', 'records', 'access', 'config', 'otp', 'base'],
};

/**
 * Files with a way in of their own: what hashes passwords and checks reply attributes for whoever writes records, and the command
 * that starts the daemon.
 */
const EXCEPTIONS = {
  http: ['^src/first-factor/(password|hashing-queue)\\.ts$'],
  cli: ['^src/first-factor/(password|hashing-queue)\\.ts$', '^src/radius/reply-attribute-faults\\.ts$', '^src/daemon/'],
};

/** What reaches the world outside the process. Rules and codecs are told; they do not look. */
const IO_MODULES = '^(node:)?(fs|net|dgram|dns|tls|http|https|http2|child_process|cluster|worker_threads|timers|os)(/|$)';

const layers = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `${folder}-imports-inwards`,
  comment: `src/${folder} may import ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')}.`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^src/',
    pathNot: [`^src/${folder}/`, ...allowed.map((name) => `^src/${name}/`), ...(EXCEPTIONS[folder] ?? [])],
  },
}));

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'daemon-is-started-by-serve-alone',
      comment: 'Whoever needs a part of the daemon takes it as a parameter.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/daemon/', '^src/cli/serve\\.ts$'] },
      to: { path: '^src/daemon/' },
    },
    {
      name: 'commands-are-started-by-main-alone',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/cli/', '^src/main\\.ts$'] },
      to: { path: '^src/(cli/|main\\.ts$)' },
    },
    {
      name: 'rules-do-no-io',
      comment: 'access/ and otp/ are free of I/O, clocks and randomness, so that every rule is a table in a test.',
      severity: 'error',
      from: { path: '^src/(access|otp)/' },
      to: { path: IO_MODULES, dependencyTypes: ['core'] },
    },
    {
      name: 'codecs-do-no-io',
      severity: 'error',
      from: { path: '^src/(radius/(packet|attributes|authenticator|user-password|response)|ldap/(ber|message|filter|dn|framing|response))\\.ts$' },
      to: { path: IO_MODULES, dependencyTypes: ['core'] },
    },
    {
      name: 'no-cycles',
      comment: 'Types may refer to each other in a circle (they are gone when it runs); code may not.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nobody imports is forgotten, or was never finished.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: ['^src/main\\.ts$', '^src/store/migrations/'] },
      to: {},
    },
    {
      name: 'only-declared-packages',
      comment: 'A package that ships only because another needs it may vanish with that one.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
    { name: 'resolvable', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
