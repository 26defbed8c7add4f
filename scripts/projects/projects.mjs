// Real suites that need a PostgreSQL. Each is installed by its own package manager and run as its own scripts run it.
//
// `as` is the URL in the code of its tests. `tests` are the shell commands that run them. If `install` builds nothing, `built` names
// what has to be there already, for a suite that tests what was built. `edit` is what changes for howdah, in lines. `node` is the oldest
// major of Node with which a project runs.

export const projects = [
  {
    name: 'pg-listen',
    url: 'https://github.com/andywer/pg-listen.git',
    // With the versions of its newest commit, its tests are not even loaded.
    commit: 'e870896820be1eeb172b2396f799dd3fab298b0a',
    install: 'npm ci --ignore-scripts',
    as: 'postgresql://postgres:postgres@localhost:5432/postgres',
    tests: 'npx ava test/*.test.ts',
  },
  {
    name: 'objection',
    url: 'https://github.com/Vincit/objection.js.git',
    install: 'npm ci --ignore-scripts',
    // Its roles have no password.
    as: 'postgresql://postgres@localhost:5432/postgres',
    trust: true,
    env: { DATABASES: 'postgres' },
    tests:
      'node setup-test-db.js && npx mocha --timeout 15000 --reporter dot --recursive tests --exclude "tests/unit/relations/files/**"',
  },
  {
    name: 'kysely',
    url: 'https://github.com/kysely-org/kysely.git',
    built: ['dist', 'test/node/dist'],
    as: 'postgresql://kysely:kysely@localhost:5434/kysely_test',
    env: { DIALECTS: 'postgres' },
    tests: 'npx mocha --timeout 15000 --reporter dot "test/node/dist/**/*.test.js"',
  },
  {
    name: 'slonik',
    url: 'https://github.com/gajus/slonik.git',
    // The lockfile of a release does not match its manifests, whose versions it has raised; that of the commit before does. The linters of
    // its root are left out, because not every registry has them.
    commit: 'df0ff9c78cd380d40ef14a81a9819edd0f46ea1c',
    node: 24,
    install:
      'npm pkg delete devDependencies && ' +
      'npx --yes pnpm@10.34.9 --filter slonik... install --no-frozen-lockfile --ignore-scripts && ' +
      'npx --yes pnpm@10.34.9 --filter slonik... run build',
    directory: 'packages/slonik',
    as: 'postgresql://postgres:postgres@localhost:5432/postgres',
    settings: { max_connections: '1000' },
    // Docker is started by this one test for a server with TLS.
    tests: 'npx ava --serial "src/**/*.test.ts" "!src/integration.test/ssl.test.ts"',
  },
  {
    name: 'pgtyped',
    url: 'https://github.com/adelsz/pgtyped.git',
    built: ['packages/cli/lib', 'packages/runtime/lib'],
    directory: 'packages/example',
    as: 'postgresql://postgres:password@localhost:5432/postgres',
    init: 'sql',
    tests: 'npx jest index.test.ts',
  },
  {
    name: 'node-pg-migrate',
    url: 'https://github.com/salsita/node-pg-migrate.git',
    built: ['bin', 'dist'],
    // It starts its servers itself.
    edit: {
      file: 'test/integration/utils.ts',
      from: "'@testcontainers/postgresql';\nimport { exec",
      to: "'@howdah/testing/testcontainers';\nimport { exec",
      lines: 1,
    },
    // The first time PostgreSQL is fetched, as an image would be.
    env: { INTEGRATION_TIMEOUT: '120000' },
    tests: 'npx vitest run --project integration',
  },
]
