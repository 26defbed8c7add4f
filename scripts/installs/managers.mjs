import { join } from 'node:path'

const npmLines = [
  /^added \d+ packages? in /,
  /^\d+ packages are looking for funding$/,
  /^ {2}run `npm fund` for details$/,
  /^npm warn exec The following package was not found and will be installed: howdah@/,
  // Of a newer npm.
  /^npm notice/,
]
const pnpmLines = [
  /^(\S+ +\| )?Progress: /,
  /^(\S+ +\| )?( +)?\++$/,
  /^(\S+ +\| )?Packages: \+\d+$/,
  /^(\S+ +\| )?Packages are (hard linked|cloned|copied) from /,
  /^ {2}(Content-addressable|Virtual) store is at: /,
  /^dependencies:$/,
  /^\+ \S+ \S+( .*)?$/,
  /^Done in .* using pnpm v/,
  // Of packages that were published just now.
  /^Added \d+ entr(y|ies) to minimumReleaseAgeExclude /,
  /^ {2}@?\S+@\d\S+$/,
  // On a busy machine.
  /^\[WARN\] Tarball download average speed /,
  // Of a newer pnpm.
  /^ *[╭│╰]/,
]
const yarnLines = [/^➤ YN(0000|0085|0013|0019|0087|0092): /, /^➤ (?!YN)/]
const bunLines = [
  // On a busy machine.
  /^warn: registry requests failed, retrying$/,
  /^bun add v/,
  /^Resolv/,
  /^Saved lockfile$/,
  /^installed \S+( with binaries:)?$/,
  /^ - howdah$/,
  /^\d+ packages installed \[/,
]

const everyNode = [20, 22, 24, 26]

/**
 * The package managers that are tried, by name and version.
 *
 * `majors` are those of Node that it runs on. `add`, `run` and `once` give command lines, without the manager's own program:
 * install packages, run the command of an installed package, run a command without installing it. `script` gives the words
 * before the path of a script. `usual` are the lines that it prints when nothing is wrong.
 */
export const managers = [
  npm('10.9.9', everyNode),
  npm('11.21.2', everyNode),
  npm('12.2.2', [22, 24, 26]),
  pnpm('10.34.9', 'node_modules/pnpm/bin/pnpm.cjs'),
  pnpm('12.21.0', 'node_modules/pnpm/bin/pnpm.mjs'),
  yarn('node-modules', 'node_modules'),
  yarn('pnp', 'PnP'),
  {
    title: 'bun 1.4.5',
    spec: '@oven/bun-linux-x64@1.4.5',
    program: 'bin/bun',
    isNative: true,
    majors: everyNode,
    files: {},
    env: {},
    add: (names) => ['add', ...names],
    noScripts: ['--ignore-scripts'],
    script: () => ['node'],
    run: (words) => ['run', ...words],
    once: (words) => ['x', ...words],
    usual: bunLines,
  },
]

function npm(version, majors) {
  return {
    title: `npm ${version}`,
    spec: `npm@${version}`,
    program: 'bin/npm-cli.js',
    majors,
    files: {},
    env: {},
    add: (names) => ['install', ...names],
    noScripts: ['--ignore-scripts'],
    script: () => ['node'],
    run: (words) => ['exec', '--offline', '--', ...words],
    once: (words) => ['exec', '--yes', '--', ...words],
    usual: npmLines,
  }
}

function pnpm(version, program) {
  return {
    title: `pnpm ${version}`,
    spec: `pnpm@${version}`,
    program,
    // It needs a package with a program of its own.
    needsOthers: true,
    majors: everyNode,
    files: {},
    // Packages that were just published have to wait for a day otherwise.
    env: { pnpm_config_minimum_release_age: '0' },
    add: (names) => ['add', ...names],
    noScripts: ['--ignore-scripts'],
    script: () => ['node'],
    run: (words) => ['exec', ...words],
    once: (words) => ['dlx', ...words],
    usual: pnpmLines,
  }
}

function yarn(linker, title) {
  return {
    title: `yarn 4.18.1, ${title}`,
    spec: '@yarnpkg/cli-dist@4.18.1',
    program: 'bin/yarn.js',
    majors: everyNode,
    files: { 'yarn.lock': '' },
    env: {
      YARN_NODE_LINKER: linker,
      YARN_ENABLE_TELEMETRY: '0',
      // As with pnpm.
      YARN_NPM_MINIMAL_AGE_GATE: '0',
      YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    },
    add: (names) => ['add', ...names],
    noScripts: ['--mode=skip-build'],
    script: (program) => (linker === 'pnp' ? [...program, 'node'] : ['node']),
    run: (words) => words,
    once: (words) => ['dlx', '--quiet', ...words],
    usual: yarnLines,
  }
}

/** The words that start a package manager. */
export function commandOf(manager, tools) {
  const { spec, needsOthers } = manager
  const directory = needsOthers ? tools.installed(spec) : tools.unpacked(spec)
  const program = join(directory, manager.program)
  return manager.isNative ? [program] : ['node', program]
}

/** What the command says to root if there is no user `postgres`. */
const rootLine = /^howdah: PostgreSQL refuses to run as root, so it runs as nobody$/

/** The lines of an output that are printed only if something is wrong. */
export function unusualLines(manager, output) {
  const usual = [...manager.usual, rootLine]
  return output
    .split(/[\n\r]/)
    .filter((line) => line.trim() !== '' && !usual.some((one) => one.test(line)))
}
